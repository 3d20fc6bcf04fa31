/** What is left open of a source ends with it, once, whatever fails on the way. */
import { OpenHandles } from '../../../src/sources/open-handles';

interface Handle {
  ended: number;
  over: () => void;
}

function openIn(handles: OpenHandles, failing = false): Promise<Handle> {
  return handles.track(
    async (onEnd) => ({ ended: 0, over: onEnd }),
    async (handle) => {
      handle.ended++;
      if (failing) throw new Error('it can not be ended');
    },
  );
}

test('ends what is open, and nothing twice', async () => {
  const handles = new OpenHandles();
  const [open, over] = [await openIn(handles), await openIn(handles)];
  over.over();
  await handles.endAll();
  await handles.endAll();
  expect([open.ended, over.ended]).toEqual([1, 0]);
});

test('ends the others when one fails, and says so', async () => {
  const handles = new OpenHandles();
  const all = [await openIn(handles), await openIn(handles, true), await openIn(handles)];
  await expect(handles.endAll()).rejects.toThrow('can not be ended');
  expect(all.map(({ ended }) => ended)).toEqual([1, 1, 1]);
});
