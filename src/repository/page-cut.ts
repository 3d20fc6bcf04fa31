/**
 * Where pages of trees end (FORMAT.md, section 8): decided by their content, so that equal runs of entries give equal pages, which are
 * stored once.
 */
const CUT_MIN_BYTES = 4096;
const CUT_SPREAD_BYTES = 12_288;
export const CUT_MAX_BYTES = 65_536;

/** Whether the page ends after the entry just added. `number`: 32 bits by which chance decides, the same for the same entry. */
export function cutsAfter(
  entry: { number: number; bytes: number },
  page: { entryCount: number; bytes: number },
): boolean {
  if (page.entryCount < 2) return false;
  if (page.bytes >= CUT_MAX_BYTES) return true;
  return page.bytes >= CUT_MIN_BYTES && entry.number < (entry.bytes * 2 ** 32) / CUT_SPREAD_BYTES;
}
