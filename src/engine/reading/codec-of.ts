/** How the rows of a backup's table are encoded: the source that it was taken of knows, without a connection. */
import { AppError } from '../../domain/errors';
import type { Manifest, TableManifest } from '../../domain/manifest';
import type { RowCodec } from '../../domain/rows';
import type { EngineDeps } from '../ports';

/** Throws NOT_FOUND for a source that is no longer configured, SCHEMA_MISMATCH for one of another kind. */
export async function codecOf(
  { source }: Pick<Manifest, 'source'>,
  { structure }: Pick<TableManifest, 'structure'>,
  deps: Pick<EngineDeps, 'source'>,
): Promise<RowCodec> {
  const { codec } = await deps.source(source.name);
  if (codec.name === structure.rowEncoding) return codec;
  throw new AppError('SCHEMA_MISMATCH', `The source ${source.name} is now of another kind than the backup's.`, {
    hint: 'Name the source as it was when the backup was taken.',
  });
}
