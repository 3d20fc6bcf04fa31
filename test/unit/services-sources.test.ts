/** Row estimates never hold up or fail what they are shown with. */
import { LOCAL_OPERATOR } from '../../src/services/principal';
import { createSourcesService, ESTIMATE_PATIENCE_MS } from '../../src/services/sources';
import { deadSource, testSource } from '../support/api-stand';
import { FakeClock } from '../support/fake-clock';

const clock = new FakeClock();
let asked: AbortSignal | undefined;
const hanging = testSource({
  name: 'hanging',
  estimateRows: (signal) => {
    asked = signal;
    return new Promise(() => undefined);
  },
});
const service = createSourcesService([testSource(), deadSource('dead'), hanging], clock);

describe('row estimates', () => {
  it('are what the source says, and leave no timer behind', async () => {
    expect(await service.estimateRows(LOCAL_OPERATOR, 'default')).toEqual(new Map([['risk_alerts', 12]]));
    expect(clock.sleeping).toBe(0);
  });

  it.each(['dead', 'unknown'])('are none of a source that is %s', async (name) => {
    expect(await service.estimateRows(LOCAL_OPERATOR, name)).toBeNull();
  });

  it('are none of a source that does not answer in time, which is told to stop', async () => {
    const estimates = service.estimateRows(LOCAL_OPERATOR, 'hanging');
    await clock.advance(ESTIMATE_PATIENCE_MS);
    expect(await estimates).toBeNull();
    expect(asked?.aborted).toBe(true);
  });

  it('are given up when the caller has gone', async () => {
    const caller = new AbortController();
    const estimates = service.estimateRows(LOCAL_OPERATOR, 'hanging', caller.signal);
    caller.abort();
    expect(await estimates).toBeNull();
    expect(asked?.aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
  });
});
