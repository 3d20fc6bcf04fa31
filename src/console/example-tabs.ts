/** The tabs that GraphiQL opens with: a walk from the first backup to a restore. The operations are those of schema/operations. */
import createBackup from '../../schema/operations/create-backup.graphql?raw';
import getBackup from '../../schema/operations/get-backup.graphql?raw';
import getRestore from '../../schema/operations/get-restore.graphql?raw';
import overview from '../../schema/operations/overview.graphql?raw';
import restoreBackup from '../../schema/operations/restore-backup.graphql?raw';
import watchJob from '../../schema/operations/watch-job.graphql?raw';

interface Tab {
  query: string;
  variables?: string;
}

const LATEST_HINT = '# (LATEST_… stands for the newest id seen here.)';

const DAMAGE_AND_RESTORE = [
  '4. Harm the demo first, in a terminal:',
  '#        npm run demo:damage',
  '#    then restore (with dryRun: true it only counts).',
  '#    It restores the newest backup seen here: one taken after the damage would bring back the damage. To go',
  '#    further back, put the id of an earlier backup in place of LATEST_BACKUP.',
].join('\n');

export const exampleTabs: Tab[] = [
  tab('1. Back up', createBackup, { input: { type: 'FULL', labels: { reason: 'first look' } } }),
  tab('2. Watch it: the whole history of the job, then live', watchJob, { jobId: 'LATEST_JOB' }),
  tab('3. Look at the backup', getBackup, { id: 'LATEST_BACKUP' }),
  tab(DAMAGE_AND_RESTORE, restoreBackup, {
    input: { backupId: 'LATEST_BACKUP', type: 'FULL', dryRun: false, waitFor: 'PT30S' },
  }),
  tab('5. Look at what the restore changed', getRestore, { id: 'LATEST_RESTORE' }),
  tab('6. What is backed up from where to where', overview),
];

function tab(title: string, operation: string, variables?: object): Tab {
  const given = variables && JSON.stringify(variables, null, 2);
  const lines = [`# ${title}`, ...(given?.includes('LATEST_') ? [LATEST_HINT] : []), '', operation.trim(), ''];
  return { query: lines.join('\n'), ...(given && { variables: given }) };
}
