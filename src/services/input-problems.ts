/** Collects everything wrong with one input, so that a caller learns all of it at once. */
import { AppError } from '../domain/errors';

/** INVALID_INPUT that carries one AppError per problem, each with its own path and hint; never empty. */
export class InvalidInputError extends AppError {
  constructor(readonly problems: readonly AppError[]) {
    super('INVALID_INPUT', problems.map((problem) => problem.message).join(' '), {
      hint: problems[0]?.hint,
      path: problems[0]?.path,
    });
    this.name = 'InvalidInputError';
  }
}

export class InputProblems {
  private readonly found: AppError[] = [];

  /** `root`: where the fields are. */
  constructor(private readonly root: readonly string[] = ['input']) {}

  /** `field` is below the root, e.g. `retentionDays` or `target.scratch`. */
  add(field: string, message: string, hint: string): void {
    this.found.push(new AppError('INVALID_INPUT', message, { hint, path: [...this.root, ...field.split('.')] }));
  }

  /** Throws when anything was added. */
  throwIfAny(): void {
    if (this.found.length > 0) throw new InvalidInputError(this.found);
  }
}

/** The problems that an error stands for: several for an InvalidInputError, else itself. */
export function problemsOf(error: AppError): readonly AppError[] {
  return error instanceof InvalidInputError ? error.problems : [error];
}
