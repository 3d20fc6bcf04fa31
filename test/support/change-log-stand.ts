/** A schema whose moments are read whole, and whose binary log is asked what changed between two of them. */
import type { LoggedKey, LogPosition, ReadChangeLogOptions, Source } from '../../src/domain/source';
import type { TableStructure } from '../../src/domain/table';
import { createSchema, type MariadbServer, type TestSchema } from './mariadb';
import { openTestMysql } from './mysql-source';
import { keyOf, readAll, withRead } from './source-rows';

const ATTEMPTS = 4;

export interface Moment {
  position: LogPosition;
  tables: readonly TableStructure[];
  /** By table, then by the key's bytes in hex: the row's. */
  rows: Map<string, Map<string, string>>;
}

export interface ToldChanges {
  /** By table, the keys in hex. */
  keys: Map<string, Set<string>>;
  /** By table and key in hex: what the key's first time says. */
  was: Map<string, Map<string, boolean>>;
  unusable: Record<string, string>;
  events: number;
}

export class ChangeLogStand {
  private constructor(
    readonly schema: TestSchema,
    readonly source: Source,
  ) {}

  /** Runs the statements in a fresh schema; the tables named are mapped. */
  static async open(
    server: MariadbServer,
    statements: readonly string[],
    tables: readonly string[],
  ): Promise<ChangeLogStand> {
    const schema = await createSchema(server, 'log');
    await schema.exec(...statements);
    const mapping = tables.map((table) => ({ dataType: 'CONFIG', table }) as const);
    return new ChangeLogStand(schema, openTestMysql(schema.url, mapping));
  }

  async exec(...statements: string[]): Promise<void> {
    await this.schema.exec(...statements);
  }

  /** Other suites on the server may be in the way of the lock that a position needs: then once more. */
  async moment(source = this.source): Promise<Moment> {
    for (let attempt = 1; attempt < ATTEMPTS; attempt++) {
      const moment = await this.read(source);
      if (moment) return moment;
    }
    throw new Error('the read tells no position');
  }

  private async read(source: Source): Promise<Moment | null> {
    return withRead(source, async (read) => {
      if (!read.position) return null;
      const rows = new Map<string, Map<string, string>>();
      for (const [name, all] of await readAll(read)) {
        const table = read.tables.find((candidate) => candidate.table === name) as TableStructure;
        const keyed = all.map((row) => [keyOf(source.codec, table, row).toString('hex'), row.toString('hex')] as const);
        rows.set(name, new Map(keyed));
      }
      return { position: read.position, tables: read.tables, rows };
    });
  }

  /** What the log tells of the time in which the statements ran; of each key it must know whether the earlier moment has it. */
  async after(...statements: string[]): Promise<ToldChanges & { from: Moment; to: Moment }> {
    const from = await this.moment();
    await this.exec(...statements);
    const to = await this.moment();
    const told = await this.between(from, to);
    for (const [table, keys] of told.was) {
      if (table in told.unusable) continue;
      const there = [...keys.keys()].map((key) => [key, from.rows.get(table)?.has(key)] as const);
      expect({ table, was: keys }).toEqual({ table, was: new Map(there) });
    }
    return { from, to, ...told };
  }

  async between(
    { position: from }: Pick<Moment, 'position'>,
    { position: to, tables }: Pick<Moment, 'position' | 'tables'>,
    options: Partial<ReadChangeLogOptions> & { source?: Source } = {},
  ): Promise<ToldChanges> {
    const keys = new Map<string, Set<string>>(tables.map(({ table }) => [table, new Set()]));
    const was = new Map<string, Map<string, boolean>>(tables.map(({ table }) => [table, new Map<string, boolean>()]));
    const onKeys = (table: string, told: LoggedKey[]): void => {
      for (const logged of told) {
        const key = logged.key.toString('hex');
        if (!keys.get(table)?.has(key)) was.get(table)?.set(key, logged.was);
        keys.get(table)?.add(key);
      }
    };
    const { source = this.source, ...rest } = options;
    const report = await source.readChangeLog?.({ from, to, tables, onKeys, ...rest });
    if (!report) throw new Error('the source reads no log');
    return { keys, was, unusable: Object.fromEntries(report.unusable), events: report.events };
  }

  async close(): Promise<void> {
    await this.source.close();
    await this.schema.drop();
  }
}

/** Exactly these keys of table `t` were told, in hex, and no table was given up. */
export function expectTold({ keys, unusable }: ToldChanges, ...expected: string[]): void {
  expect({ unusable, keys: [...(keys.get('t') ?? [])].sort() }).toEqual({ unusable: {}, keys: expected });
}

/** Keys of rows that differ between two moments, or are in one of them alone. */
export function differingKeys(from: Moment, to: Moment, table: string): Set<string> {
  const [before, after] = [from.rows.get(table) ?? new Map(), to.rows.get(table) ?? new Map()];
  return new Set([...before.keys(), ...after.keys()].filter((key) => before.get(key) !== after.get(key)));
}
