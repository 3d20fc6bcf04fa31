/**
 * Which values of a column a database may take for equal when it follows a reference, and the bytes that stand for all of them
 * (FORMAT.md, section 8: forms). Wherever two values can be equal, either their plain bytes are, or one of them has none.
 */
import type { PlainForm } from '../../domain/manifest';
import type { ColumnStructure } from '../../domain/table';

/** Null for a column of which nobody can tell. */
export function plainFormOf(column: ColumnStructure): PlainForm | null {
  switch (column.kind) {
    case 'INTEGER':
      return 'INTEGER';
    case 'DECIMAL':
      return /zerofill/i.test(column.type) ? null : 'EXACT';
    case 'DATE':
    case 'DATETIME':
    case 'TIMESTAMP':
    case 'ENUM':
      return 'EXACT';
    case 'BINARY':
      return /^(var)?binary\b/i.test(column.type) ? 'EXACT' : null;
    case 'TEXT':
      return textForm(column);
    case 'FLOAT':
    case 'DOUBLE':
    case 'BIT':
    case 'TIME':
    case 'YEAR':
    case 'JSON':
    case 'SET':
    case 'GEOMETRY':
      return null;
    case 'DYNAMIC':
      return /^(binary|nocase|rtrim)?$/i.test(column.collation ?? '') ? 'DYNAMIC' : null;
  }
}

const CHARSETS = /^(ascii|latin1|utf8|utf8mb3|utf8mb4)$/;
const BY_BYTES = /^[a-z0-9]+_(nopad_|0900_)?bin$/;
/** Untailored ones alone: in some languages letters of ASCII are equal to others, or two of them to one. */
const FAMILIES =
  /^(latin1_swedish(_nopad)?_ci|[a-z0-9]+_(general|unicode|unicode_520)(_nopad)?_c[is]|[a-z0-9]+_(0900|uca1400|uca1400_nopad)_a[is]_c[is])$/;

function textForm({ type, charset, collation }: ColumnStructure): PlainForm | null {
  if (type === 'uuid') return 'EXACT';
  if (!/^(var)?char\b/i.test(type) || !CHARSETS.test(charset ?? '')) return null;
  if (BY_BYTES.test(collation ?? '')) return 'PADDED';
  return FAMILIES.test(collation ?? '') ? 'CASELESS' : null;
}

const SPACE = 0x20;
const ZERO = 0x30;

/** What each byte of a caseless value becomes; 0 for those that may be equal to anything. */
const FOLDED = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= SPACE && byte <= 0x7e ? String.fromCharCode(byte).toLowerCase().charCodeAt(0) : 0,
);

/** What `writePlain` answers for a value that may be equal to anything. */
export const NOT_PLAIN = -1;

/** Where a value lies. One object serves all: there are millions of values. */
export interface ValuePlace {
  bytes: Buffer;
  /** Of the whole encoded field. */
  fieldStart: number;
  start: number;
  end: number;
  form: PlainForm;
}

/** Storage classes as `sqlite-v1` has them. */
const INTEGER_CLASS = 1;
const TEXT_CLASS = 3;

/** Gives a value that carries its own type the form that this type has; others keep a form of which none is plain. */
function settleType(place: ValuePlace): void {
  const storageClass = place.bytes[place.fieldStart];
  if (storageClass === TEXT_CLASS) place.form = 'CASELESS';
  if (storageClass !== INTEGER_CLASS) return;
  place.form = 'EXACT';
  place.bytes = Buffer.from(String(place.bytes.readBigInt64BE(place.start)));
  place.start = 0;
  place.end = place.bytes.length;
}

/** Sets `place` to the part of its value that counts in its form. */
export function trimToPlain(place: ValuePlace): void {
  if (place.form === 'DYNAMIC') settleType(place);
  const { bytes, form } = place;
  if (form === 'INTEGER') while (place.end - place.start > 1 && bytes[place.start] === ZERO) place.start++;
  else if (form !== 'EXACT') while (place.end > place.start && bytes[place.end - 1] === SPACE) place.end--;
}

/** Copies a trimmed value's plain bytes to `at`; gives the offset after them, or NOT_PLAIN. */
export function writePlain(target: Uint8Array, at: number, { bytes, start, end, form }: ValuePlace): number {
  if (form === 'DYNAMIC') return NOT_PLAIN;
  if (form !== 'CASELESS') {
    for (let from = start; from < end; from++) target[at++] = bytes[from] as number;
    return at;
  }
  for (let from = start; from < end; from++) {
    const folded = FOLDED[bytes[from] as number] as number;
    if (folded === 0) return NOT_PLAIN;
    target[at++] = folded;
  }
  return at;
}
