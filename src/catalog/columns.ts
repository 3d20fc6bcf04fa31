/** Column options that mean the same on SQLite and MariaDB: moments as BIGINT milliseconds, counts as safe numbers, JSON as text. */
import type { ColumnType, ValueTransformer } from 'typeorm';

export const ID_LENGTH = 36;
export const NAME_LENGTH = 200;

const asNumber = {
  to: (value: number | null | undefined) => value,
  from: (value: string | number | null) => (value === null ? null : Number(value)),
};

const asDate = {
  to: (value: Date | null | undefined) => (value instanceof Date ? value.getTime() : value),
  from: (value: string | number | null) => (value === null ? null : new Date(Number(value))),
};

const asBoolean = {
  to: (value: boolean | undefined) => (value === undefined ? value : Number(value)),
  from: (value: number) => value === 1,
};

interface Column {
  name: string;
  type: ColumnType;
  length?: string;
  transformer?: ValueTransformer;
}

export const id = (name: string): Column => text(name, ID_LENGTH);
export const text = (name: string, length: number): Column => ({ name, type: 'varchar', length: String(length) });
/** Text of any length. */
export const prose = (name: string): Column => ({ name, type: 'text' });
export const json = (name: string): Column => ({ name, type: 'json' });
export const moment = (name: string): Column => ({ name, type: 'bigint', transformer: asDate });
export const count = (name: string): Column => ({ name, type: 'bigint', transformer: asNumber });
export const small = (name: string): Column => ({ name, type: 'int' });
export const flag = (name: string): Column => ({ name, type: 'int', transformer: asBoolean });
export const nullable = (column: Column): Column & { nullable: true } => ({ ...column, nullable: true });
