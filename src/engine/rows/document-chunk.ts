/** Documents as chunks (FORMAT.md): UTF-8 JSON of an object, told from rows by its first byte, `{`. */
import { AppError } from '../../domain/errors';

export type Document = Record<string, unknown>;

export function isDocument(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function encodeDocument(document: Document): Buffer {
  return Buffer.from(JSON.stringify(document));
}

export function decodeDocument(payload: Buffer): Document {
  try {
    if (payload[0] === 0x7b) return JSON.parse(payload.toString()) as Document;
  } catch (cause) {
    throw notADocument(cause);
  }
  throw notADocument();
}

function notADocument(cause?: unknown): AppError {
  return new AppError('INTEGRITY_FAILURE', 'A chunk that should hold a document holds something else.', { cause });
}
