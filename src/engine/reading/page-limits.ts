/** What one page of rows may cost, whatever it is a page of: then it ends where it is, and its cursor goes on. */

/** Of rows that are read for it, at most a chunk's more. */
export const MAX_READ_BYTES = 64 * 1024 * 1024;
export const MAX_READ_MS = 5_000;
/** Of the rows in it, with all their images; the first always fits. */
export const MAX_PAGE_BYTES = 4 * 1024 * 1024;
