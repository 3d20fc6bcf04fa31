/**
 * What every source promises, as one suite that each implementation runs: `describeSourceContract(name, fixture)` in a test
 * file of its own. SQL here is what both dialects understand (back-ticked names, x'..' literals); the rest is the fixture's.
 */
import { createBench, type SourceContractFixture } from './source-bench';
import { describeBulkWriting } from './source-bulk-contract';
import { describeChangeWriting } from './source-change-contract';
import { describeReading } from './source-reading-contract';
import { describeRehearsing } from './source-rehearsal-contract';
import { describeSchema } from './source-schema-contract';

export type { ContractConnection, ContractDatabase, SourceContractFixture } from './source-bench';

export function describeSourceContract(name: string, fixture: SourceContractFixture): void {
  describe(`source contract: ${name}`, () => {
    const bench = createBench(fixture);
    describeSchema(bench, fixture);
    describeReading(bench, fixture);
    describeBulkWriting(bench, fixture);
    describeChangeWriting(bench, fixture);
    describeRehearsing(bench);
  });
}
