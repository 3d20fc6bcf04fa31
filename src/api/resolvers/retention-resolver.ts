/** Previews of retention policies. */
import { Args, Ctx, FieldResolver, Query, Resolver, Root } from 'type-graphql';
import type { KeysetPosition } from '../../catalog/catalog';
import type { RetentionVerdict } from '../../domain/retention';
import { checkPageSize } from '../../services/paging';
import type { RequestContext } from '../context';
import { listFingerprint, parseListCursor, toListCursor } from '../cursors';
import { EventPageArgs, toBackupFilter } from '../inputs/list-inputs';
import { PreviewRetentionArgs } from '../inputs/retention-inputs';
import { BigIntScalar } from '../scalars';
import { BackupView, toBackupView } from '../types/backup';
import { toConnection, type CountedConnectionView } from '../types/connection';
import { RetentionPreview, RetentionVerdictConnection, RetentionVerdictView } from '../types/retention';

type VerdictPage = CountedConnectionView<RetentionVerdictView>;

@Resolver(() => RetentionPreview)
export class RetentionPreviewResolver {
  @Query(() => RetentionPreview, {
    description: 'What a policy would keep and let go of the completed backups there are, and what that would free.',
  })
  async previewRetention(
    @Args(() => PreviewRetentionArgs) { policy, filter, timeZone, ignoreExpiry }: PreviewRetentionArgs,
    @Ctx() { services, principal, signal }: RequestContext,
  ): Promise<RetentionPreview> {
    const request = {
      policy,
      filter: toBackupFilter(filter),
      timeZone: timeZone ?? 'UTC',
      ignoreExpiry: ignoreExpiry ?? false,
    };
    const verdicts = await services.retention.preview(principal, request);
    const keeping = verdicts.filter(({ keep }) => keep);
    const expiring = verdicts.filter(({ keep }) => !keep);
    const expiringIds = expiring.map(({ backup }) => backup.id);
    const freed = once(() => services.retention.freedBy(principal, expiringIds, signal));
    return { keeping, expiring, freed, fingerprint: listFingerprint('previewRetention', request) };
  }

  @FieldResolver(() => RetentionVerdictConnection, { description: 'Newest first by the moment shown.' })
  keep(
    @Root() { keeping, fingerprint }: RetentionPreview,
    @Args(() => EventPageArgs) args: EventPageArgs,
  ): VerdictPage {
    return toPage(keeping, args, `keep ${fingerprint}`);
  }

  @FieldResolver(() => RetentionVerdictConnection, { description: 'Newest first by the moment shown.' })
  expire(
    @Root() { expiring, fingerprint }: RetentionPreview,
    @Args(() => EventPageArgs) args: EventPageArgs,
  ): VerdictPage {
    return toPage(expiring, args, `expire ${fingerprint}`);
  }

  @FieldResolver(() => BigIntScalar, {
    description:
      'What collections give back once these backups are gone, each pack after its grace period: packs of which nothing else needs ' +
      'anything, and what is dead in packs that are mostly dead then. What other backups share stays, and what ' +
      'collections would give back in any case is not counted. Reckoned from the whole ' +
      'repository, within a minute or not at all.',
  })
  async freedBytes(@Root() { freed }: RetentionPreview): Promise<number> {
    return (await freed()).freedBytes;
  }

  @FieldResolver(() => BigIntScalar, {
    description:
      'Bytes of chunks that nothing would need any more, in packs that stay as they are because of others: not in freedBytes.',
  })
  async deadBytes(@Root() { freed }: RetentionPreview): Promise<number> {
    return (await freed()).deadBytes;
  }
}

@Resolver(() => RetentionVerdictView)
export class RetentionVerdictLinks {
  @FieldResolver(() => BackupView, { nullable: true, description: 'None once it is deleted.' })
  async backup(
    @Root() { verdict }: RetentionVerdictView,
    @Ctx() { loaders }: RequestContext,
  ): Promise<BackupView | null> {
    const backup = await loaders.backups.load(verdict.backup.id);
    return backup && toBackupView(backup);
  }
}

/** Both sums are of one answer, which takes long. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => (result ??= work());
}

function toPage(
  verdicts: readonly RetentionVerdict[],
  { first, after }: EventPageArgs,
  fingerprint: string,
): VerdictPage {
  const size = checkPageSize(first, null);
  const begin = after ? placeAfter(verdicts, parseListCursor(after, fingerprint, ['after'])) : 0;
  const edges = verdicts.slice(begin, begin + size).map((verdict) => ({
    node: new RetentionVerdictView(verdict),
    cursor: toListCursor(fingerprint, positionOf(verdict)),
  }));
  const page = { hasNextPage: begin + size < verdicts.length, hasPreviousPage: begin > 0 };
  return { ...toConnection(edges, page), countAll: () => Promise.resolve(verdicts.length) };
}

function positionOf({ backup: { id, readAt, createdAt } }: RetentionVerdict): KeysetPosition {
  return { value: (readAt ?? createdAt).getTime(), id };
}

/** Index of what follows; where the backup itself has gone meanwhile, of the first that shows an earlier moment. */
function placeAfter(verdicts: readonly RetentionVerdict[], { value, id }: KeysetPosition): number {
  const itself = verdicts.findIndex(({ backup }) => backup.id === id);
  if (itself >= 0) return itself + 1;
  const earlier = verdicts.findIndex((verdict) => (positionOf(verdict).value ?? 0) < (value ?? 0));
  return earlier < 0 ? verdicts.length : earlier;
}
