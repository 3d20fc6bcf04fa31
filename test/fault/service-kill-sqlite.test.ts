/** kill -9 of the service whose source and catalog are SQLite. */
import { describeKills } from '../support/service-kill';
import { sqlitePlatform } from '../support/service-platforms';

describeKills('source and catalog on SQLite', { openPlatform: () => sqlitePlatform(100) });
