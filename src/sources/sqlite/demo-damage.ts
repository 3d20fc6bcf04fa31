/** Harm done to the demo database on purpose, so that a newcomer has something to restore. One transaction, cascades included. */
import type { Clock } from '../../domain/ambient';
import { Database, whenFree } from './database';

export interface DemoDamage {
  /** Businesses deleted; with each go its assessments, factors, trends, alerts, history and settings. */
  deletedBusinesses: number;
  changedAssessments: number;
}

const DELETED_BUSINESSES = 25;
const CHANGED_ASSESSMENTS = 100;

/** Throws SOURCE_UNAVAILABLE where there is no demo database yet. */
export async function damageDemoDatabase(path: string, clock: Clock): Promise<DemoDamage> {
  const database = Database.open(path);
  try {
    return await whenFree(clock, () => damage(database));
  } finally {
    database.close();
  }
}

function damage(database: Database): DemoDamage {
  database.exec('PRAGMA foreign_keys = ON; BEGIN IMMEDIATE');
  const chosen = (table: string, limit: number): string => `SELECT id FROM ${table} ORDER BY id LIMIT ${limit}`;
  const deletedBusinesses = database.run(
    `DELETE FROM businesses WHERE id IN (${chosen('businesses', DELETED_BUSINESSES)})`,
    [],
  );
  const changedAssessments = database.run(
    `UPDATE risk_assessments SET overall_score = 0, overall_level = 'minimal'
     WHERE id IN (${chosen('risk_assessments', CHANGED_ASSESSMENTS)})`,
    [],
  );
  database.exec('COMMIT');
  return { deletedBusinesses, changedAssessments };
}
