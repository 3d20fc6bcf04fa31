/** A job's progress as one line for somebody who watches. */
import type { Progress } from '../../domain/job';

export function progressText({ percent, phase, currentTable, rowsDone, estimatedRemainingMs }: Progress): string {
  const where = currentTable === null ? phase : `${phase} ${currentTable}`;
  const rows = rowsDone > 0 ? `, ${rowsDone} rows` : '';
  const left = estimatedRemainingMs === null ? '' : `, ${Math.ceil(estimatedRemainingMs / 1000)} s left`;
  return `${percent.toFixed(0)} % ${where}${rows}${left}`;
}
