/** `npm run demo:damage`: the composition root of the command that harms the demo database, so that a restore can be tried. */
import { sqlitePath } from './open-source';
import { systemClock } from './ops/ambient';
import { loadConfig } from './ops/config/load-config';
import { damageDemoDatabase } from './sources/sqlite/demo-damage';

async function main(): Promise<void> {
  const { settings } = loadConfig();
  const url = settings.sources[0]?.url;
  if (!settings.demo || url === undefined)
    throw new Error('the settings name a source of their own, which it never touches');
  const { deletedBusinesses, changedAssessments } = await damageDemoDatabase(sqlitePath(url), systemClock);
  console.log(
    `Deleted ${deletedBusinesses} businesses with all that belongs to them, changed ${changedAssessments} assessments.`,
  );
  console.log('Restore the backup that you took before, and look again.');
}

main().catch((error: unknown) => {
  console.error(`The demo was not damaged: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
});
