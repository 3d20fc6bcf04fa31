/** What the rehearsal of a job left beside a platform: names of schemas, or of files. */
import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { parseIdOf } from '../../src/api/global-id';
import type { JobId } from '../../src/domain/ids';
import { rehearsalPrefix } from '../../src/domain/rehearsal';
import type { Platform } from './service-platforms';

/** `jobId` as the API shows it. */
export async function scratchesLeft(platform: Platform, jobId: string): Promise<string[]> {
  const prefix = rehearsalPrefix(parseIdOf<JobId>('Job', jobId, []));
  if (platform.kind === 'mariadb') {
    return platform.values(
      `SELECT schema_name FROM information_schema.schemata WHERE LEFT(schema_name, ${prefix.length}) = '${prefix}'`,
    );
  }
  const file = platform.sourceUrl.slice('sqlite:'.length);
  const isLeft = (name: string): boolean => name.startsWith(basename(file)) && name.includes(prefix);
  return readdirSync(dirname(file)).filter(isLeft);
}
