/** What only a MySQL or MariaDB server does to tables and its log, as steps of the model test of incremental backups. */
import type { Change, Model } from './incremental-model';

/** A transaction of two phases: it is prepared, and thereby in the log, before the backup and settled after it, or after the next. */
const settleLate: Change = async (model) => {
  const xid = `'rv-model-${model.id()}'`;
  const late = await model.connect();
  try {
    await late.exec(`XA START ${xid}`);
    await late.exec(`INSERT INTO owner VALUES ('xa${model.id()}', 'late', 0)`);
    await late.exec(`XA END ${xid}`);
    await late.exec(`XA PREPARE ${xid}`);
    await takeBackups(model);
    await late.exec(`${model.random.chance(0.8) ? 'XA COMMIT' : 'XA ROLLBACK'} ${xid}`);
  } finally {
    await late.close();
  }
};

async function takeBackups(model: Model): Promise<void> {
  await model.takeBackup();
  if (model.random.chance(0.3)) await model.takeBackup();
}

export const TABLE_CHANGES: readonly Change[] = [
  settleLate,
  ({ sql }) => sql.exec('TRUNCATE TABLE note'),
  // Nothing is logged of the rows, and no row changes.
  ({ sql }) => sql.exec('ALTER TABLE item FORCE'),
];

/** Only on a server of the test's own: others read its log too. */
export const LOG_CHANGES: readonly Change[] = [
  ({ sql }) => sql.exec('FLUSH BINARY LOGS'),
  async ({ sql, random }) => {
    if (!random.chance(0.3)) return;
    await sql.exec('FLUSH BINARY LOGS');
    const logs = await sql.query('SHOW BINARY LOGS');
    await sql.exec(`PURGE BINARY LOGS TO '${random.pick(logs)[0]}'`);
  },
];
