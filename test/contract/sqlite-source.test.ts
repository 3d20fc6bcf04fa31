/** The SQLite source keeps every promise of the source port. */
import { sqliteFixture } from '../support/sqlite';
import { describeSourceContract } from './source-contract';

describeSourceContract('sqlite', sqliteFixture);
