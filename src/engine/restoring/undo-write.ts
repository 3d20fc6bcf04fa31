/** Keeps the promise of CANCELLED, that nothing is left, where undoing a write fails: the next attempt settles it by `recoverWrite`. */
import { toAppError } from '../../domain/errors';
import type { TaskContext } from '../ports';

/** Opens a writer. A source whose opening was cancelled, and that could undo what it had begun, throws CANCELLED alone. */
export async function openWriter<Writer>(open: () => Promise<Writer>, context: TaskContext): Promise<Writer> {
  try {
    return await open();
  } catch (error) {
    const failure = toAppError(error);
    if (failure.code !== 'CANCELLED') context.undoFailure = failure;
    throw error;
  }
}

/** After a failure, which the caller throws: that says what went wrong first. */
export async function undoWrite(undo: () => Promise<void>, context: TaskContext): Promise<void> {
  try {
    await undo();
  } catch (error) {
    context.undoFailure = toAppError(error);
    context.deps.log.warn('Undoing a restore failed.', { error: String(error) });
  }
}
