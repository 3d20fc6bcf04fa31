/**
 * Links to downloads: each is its export's id and a secret of 256 bits that only this service can tell, derived from the id under a key
 * that is in no catalog. So a link can be shown again to whom it belongs, and a copy of the catalog opens nothing.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { ExportId } from '../domain/ids';

/** Before the id and the secret, in the address of a download. */
export const DOWNLOADS_PATH = '/exports';

export interface DownloadLinks {
  pathOf(id: ExportId): string;
  /** In a time that does not tell how much of the secret is right, nor whether there is such an export. */
  isSecretOf(id: string, secret: string): boolean;
}

export function createDownloadLinks(key: Buffer): DownloadLinks {
  const secretOf = (id: string): Buffer => createHmac('sha256', key).update(`download of export ${id}`).digest();
  return {
    pathOf: (id) => `${DOWNLOADS_PATH}/${id}/${secretOf(id).toString('base64url')}`,
    isSecretOf(id, secret) {
      const [wanted, given] = [secretOf(id), Buffer.from(secret, 'base64url')];
      return timingSafeEqual(wanted, given.length === wanted.length ? given : Buffer.alloc(wanted.length));
    },
  };
}
