/**
 * What every source promises, as one suite that each implementation runs: `describeSourceContract(name, fixture)` in a test
 * file of its own. SQL here is what both dialects understand (back-ticked names, x'..' literals); the rest is the fixture's.
 */
import type { SourceMapping } from '../../src/domain/mapping';
import type { SourceSettings } from '../../src/domain/settings';
import type { Source } from '../../src/domain/source';

/** A connection of its own, beside the source's: the platform that goes on working. */
export interface ContractConnection {
  /** Runs one statement; `BEGIN`, `COMMIT` and `ROLLBACK` included. */
  exec(sql: string): Promise<void>;
  /** Rows as arrays of text; NULL is null. */
  query(sql: string): Promise<(string | null)[][]>;
  close(): Promise<void>;
}

/** A fresh, empty database. */
export interface ContractDatabase {
  /** A source on this database. The suite closes it. */
  open(mapping: SourceMapping, settings?: Partial<SourceSettings>): Source;
  /** A further connection. Foreign keys are enforced. The suite closes it. */
  connect(): Promise<ContractConnection>;
  /** Settings of a source of this kind that nothing answers at. */
  unreachable(): Partial<SourceSettings>;
  drop(): Promise<void>;
}

export interface SourceContractFixture {
  createDatabase(): Promise<ContractDatabase>;
  /** Column types that are spelled differently. */
  types: {
    /** Characters whose collation takes 'a' and 'A' for equal. */
    caseless: string;
    /** Characters compared byte by byte. */
    exact: string;
    /** An integer key that the database numbers by itself, with PRIMARY KEY, e.g. `BIGINT AUTO_INCREMENT PRIMARY KEY`. */
    serial: string;
  };
  /** Statements that create the tables `egg` (id BIGINT key, hen_id BIGINT NULL) and `hen` (id, egg_id), each referring to the other. */
  cyclicTables: readonly string[];
  capabilities: {
    /** A PRIMARY KEY column may hold NULL unless declared NOT NULL. */
    nullableKeys: boolean;
    /** The database has tables without transactions; this statement creates one named `plain`. */
    nonTransactionalTable?: string;
  };
}
