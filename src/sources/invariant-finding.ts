/** What the doctor says of an invariant: whether it can be asked of the source as it is now. Whether it holds only rehearsals see. */
import type { SourceFinding } from '../domain/source';

export function invariantFinding(name: string, problem: string | null): SourceFinding {
  const check = 'invariant';
  if (problem === null) return { check, ok: true, severity: 'INFO', message: `${name}: the source understands it.` };
  const message = `${name}: the source does not understand it, so rehearsals will not pass: ${problem}`;
  return { check, ok: false, severity: 'WARNING', message };
}
