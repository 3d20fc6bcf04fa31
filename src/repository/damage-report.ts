/** Gathers what a check finds: one finding for an object, with every backup that it hurts. */
import type { DamageFinding } from '../domain/backup-store';
import type { BackupId } from '../domain/ids';

type Problem = DamageFinding['problem'];

export class DamageReport {
  private readonly found = new Map<string, { problem: Problem; messages: string[]; backupIds: Set<BackupId> }>();

  /** Adds what is wrong with an object; `reason` is text or the error that told. */
  add(object: string, problem: Problem, reason: unknown): void {
    const message = reason instanceof Error ? reason.message : String(reason);
    const finding = this.found.get(object);
    if (!finding) this.found.set(object, { problem, messages: [message], backupIds: new Set() });
    else if (!finding.messages.includes(message)) finding.messages.push(message);
  }

  has(object: string): boolean {
    return this.found.has(object);
  }

  /** The backup can't be restored whole because of these objects. */
  hurts(backupId: BackupId, objects: Iterable<string>): void {
    for (const object of objects) {
      if (!this.found.has(object)) this.add(object, 'MISSING', defaultMessage(object));
      this.found.get(object)?.backupIds.add(backupId);
    }
  }

  findings(): DamageFinding[] {
    const findings = [...this.found].map(([object, { problem, messages, backupIds }]) => ({
      object,
      problem,
      message: messages.join(' '),
      backupIds: [...backupIds].sort(),
    }));
    return findings.sort((left, right) => (left.object < right.object ? -1 : 1));
  }
}

/** Said of the folder of packs: a pack that is gone takes its name along. */
export const IN_NO_PACK =
  'Chunks that are needed are in no pack: at least one is gone, and nothing tells its name. A copy of the repository has it among those that are not here.';

function defaultMessage(object: string): string {
  return object.endsWith('/') ? IN_NO_PACK : 'Chunks of it cannot be read.';
}
