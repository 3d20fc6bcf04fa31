/** Databases for tasks that run in processes of their own, which kill themselves in a given phase. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { Source } from '../../src/domain/source';
import type { ContractConnection } from '../contract/source-contract';
import type { ChildOrder } from './engine-child';
import { ENGINE_MAPPING } from './engine-scenarios';
import { createSchema } from './mariadb';
import { connectMysql, mysqlFixture, needServer, openTestMysql } from './mysql-source';
import { connectSqlite, openTestSource, sqliteFixture } from './sqlite';

export interface Place {
  /** As the child process takes it. */
  database: string;
  types: typeof sqliteFixture.types;
  source: Source;
  sql: ContractConnection;
  remove(): Promise<void>;
}

export async function sqlitePlace(folder: string): Promise<Place> {
  const database = join(folder, 'source.sqlite');
  const sql = connectSqlite(database);
  return {
    database,
    types: sqliteFixture.types,
    sql,
    source: openTestSource(database, ENGINE_MAPPING),
    remove: () => sql.close(),
  };
}

export async function mariadbPlace(): Promise<Place> {
  const schema = await createSchema(await needServer(), 'missing_kill');
  const sql = await connectMysql(schema.url);
  const remove = async (): Promise<void> => {
    await sql.close();
    await schema.drop();
  };
  const source = openTestMysql(schema.url, ENGINE_MAPPING);
  return { database: schema.url, types: mysqlFixture.types, source, sql, remove };
}

/** Runs the task in a process that is killed as the phase begins. */
export function killedIn(dieIn: string, order: Omit<ChildOrder, 'dieIn'>): Promise<void> {
  const files = ['-r', join(__dirname, 'register-ts.js'), join(__dirname, 'engine-child.ts')];
  const child = spawn(process.execPath, [...files, JSON.stringify({ ...order, dieIn })], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return new Promise((resolve, reject) =>
    child.once('exit', (_, signal) => (signal === 'SIGKILL' ? resolve() : reject(new Error('it was not killed')))),
  );
}
