/** Legal holds: placed and released. */
import { Arg, Ctx, Mutation, Resolver } from 'type-graphql';
import type { BackupId, HoldId } from '../../domain/ids';
import type { HeldBackup } from '../../services/legal-holds';
import type { RequestContext } from '../context';
import { parseIdOf } from '../global-id';
import { PlaceLegalHoldInput, ReleaseLegalHoldInput } from '../inputs/mutation-inputs';
import { toBackupView } from '../types/backup';
import { toLegalHoldView } from '../types/legal-hold';
import { PlaceLegalHoldPayload, ReleaseLegalHoldPayload } from '../types/payloads';
import { asPayload } from '../types/user-error';

@Resolver()
export class LegalHoldResolver {
  @Mutation(() => PlaceLegalHoldPayload, {
    description: 'Nothing deletes or expires the backup until the hold is released.',
  })
  async placeLegalHold(
    @Arg('input', () => PlaceLegalHoldInput) input: PlaceLegalHoldInput,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<PlaceLegalHoldPayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ['input', 'backupId']);
      return toHeld(await services.legalHolds.place(principal, { ...input, backupId }));
    });
  }

  @Mutation(() => ReleaseLegalHoldPayload, { description: 'Other holds of the backup stay in force.' })
  async releaseLegalHold(
    @Arg('input', () => ReleaseLegalHoldInput) input: ReleaseLegalHoldInput,
    @Ctx() { services, principal }: RequestContext,
  ): Promise<ReleaseLegalHoldPayload> {
    return asPayload(async () => {
      const backupId = parseIdOf<BackupId>('Backup', input.backupId, ['input', 'backupId']);
      const holdId = input.holdId ? parseIdOf<HoldId>('LegalHold', input.holdId, ['input', 'holdId']) : null;
      return toHeld(await services.legalHolds.release(principal, { ...input, backupId, holdId }));
    });
  }
}

function toHeld({ backup, hold }: HeldBackup) {
  return { backup: backup && toBackupView(backup), legalHold: hold && toLegalHoldView(hold) };
}
