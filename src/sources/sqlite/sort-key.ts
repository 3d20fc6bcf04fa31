/**
 * Keys as bytes that sort as SQLite sorts them: integers, then text compared by its bytes, then blobs. A key that holds a REAL, or text
 * under another collation, has no such bytes.
 */
import type { KeyBytes, RowCodec, SortKey } from '../../domain/rows';
import type { TableStructure } from '../../domain/table';

const INTEGER = 1;
const TEXT = 3;
const BLOB = 4;
const SIGN_BIT = 0x80;

export function sqliteSortKey(
  { columns, key }: Pick<TableStructure, 'columns' | 'key'>,
  codec: Pick<RowCodec, 'locate'>,
): SortKey {
  const fields = new Int32Array(3 * key.length);
  const isBinary = key.map((name) => columns.find((column) => column.name === name)?.collation === 'BINARY');
  return (bytes: KeyBytes) => {
    codec.locate(bytes, 0, key.length, fields);
    const parts = key.map((_, i) => {
      const value = bytes.subarray(fields[3 * i + 1], fields[3 * i + 2]);
      return sortField({ storageClass: bytes[fields[3 * i] as number], value, isBinary: isBinary[i] });
    });
    return parts.includes(null) ? null : Buffer.concat(parts as Buffer[]);
  };
}

function sortField(field: { storageClass?: number; value: Buffer; isBinary?: boolean }): Buffer | null {
  const { storageClass, value } = field;
  if (storageClass === INTEGER) return integerBytes(value);
  if (storageClass === BLOB || (storageClass === TEXT && field.isBinary)) return endedBytes(storageClass, value);
  return null;
}

function integerBytes(value: Buffer): Buffer {
  const bytes = Buffer.from([INTEGER, ...value]);
  bytes[1] = (bytes[1] as number) ^ SIGN_BIT;
  return bytes;
}

/** A zero byte within is told from the end by what follows it. */
function endedBytes(storageClass: number, value: Buffer): Buffer {
  if (!value.includes(0)) return Buffer.concat([Buffer.from([storageClass]), value, Buffer.from([0, 0])]);
  const escaped = [...value].flatMap((byte) => (byte === 0 ? [0, 0xff] : [byte]));
  return Buffer.from([storageClass, ...escaped, 0, 0]);
}
