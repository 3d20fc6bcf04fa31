/**
 * One row in a hundred of every large table is changed, deleted or added; Riskvault restores the backup in place, which writes no more than
 * that, and the peer loads the same tables anew, which is how a dump is restored over what is there.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { measurePipeline, type Measurement } from './process-meter';
import type { ServiceUnderTest } from './service-under-test';

export interface RepairBench {
  withService: (work: (service: ServiceUnderTest) => Promise<void>) => Promise<void>;
  sql: (statements: string) => Promise<void>;
  record: (name: string, measured: Measurement) => void;
  /** From now on the server's time counts for what is recorded next. */
  countFromNow: () => void;
  /** Arguments by which MariaDB's clients reach the server. */
  client: readonly string[];
  schema: string;
  /** Where the peer may write. */
  folder: string;
  isInstalled(command: string): boolean;
}

export async function repairBench(bench: RepairBench): Promise<void> {
  const { withService, sql, record, countFromNow, schema } = bench;
  await withService(async (service) => {
    const { backupId } = await service.backup();
    await sql(`USE ${schema}; ${HARM}`);
    countFromNow();
    record('repair: riskvault', { ...(await service.restore(backupId as string)), peakMib: service.peakMib() });
    await sql(`USE ${schema}; ${HARM}`);
    countFromNow();
    record('repair: riskvault, a plan', { ...(await service.plan(backupId as string)), peakMib: service.peakMib() });
    await service.restore(backupId as string);
  });
  await peerReload(bench);
}

const rowsWith = (remainder: string): string => `WHERE MOD(CRC32(id), 300) IN (${remainder})`;

/** A third of a percent each: changed, gone, too many. Foreign keys hold throughout. */
const HARM = `
  UPDATE risk_factor_scores SET score = 100 - score, explanation = NULL ${rowsWith('1')};
  UPDATE risk_assessments SET overall_score = 1 ${rowsWith('1')};
  UPDATE risk_alerts SET message = 'harm' ${rowsWith('1')};
  UPDATE businesses SET name = 'harm' ${rowsWith('1')};
  DELETE FROM risk_factor_scores ${rowsWith('2')};
  DELETE FROM risk_trends ${rowsWith('1,2')};
  DELETE FROM risk_history ${rowsWith('1,2')};
  INSERT INTO risk_factor_scores (assessment_id, tenant_id, factor_id, factor_name, category, score, level, calculated_at)
    SELECT assessment_id, tenant_id, CONCAT('harm-', id), 'harm', 'other', 1, 'low', calculated_at FROM risk_factor_scores ${rowsWith('3')};
  INSERT INTO risk_history (tenant_id, business_id, change_type, occurred_at)
    SELECT tenant_id, business_id, 'harm', occurred_at FROM risk_history ${rowsWith('3')}`;

async function peerReload({ client, schema, folder, isInstalled, record, countFromNow }: RepairBench): Promise<void> {
  if (!isInstalled('mydumper') || !isInstalled('myloader')) return;
  const dump = join(folder, 'repair-dump');
  await measurePipeline([['mydumper', ...client, '-t', '2', '-c', '-B', schema, '-o', dump]]);
  countFromNow();
  record(
    'repair: myloader -t 2, tables anew',
    await measurePipeline([['myloader', ...client, '-t', '2', '--overwrite-tables', '-d', dump, '-B', schema]]),
  );
  rmSync(dump, { recursive: true, force: true });
}
