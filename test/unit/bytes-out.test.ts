/** What a worker streams: bounded parts, few of them on the way, an end when the work is cancelled. */
import { BytesOut } from '../../src/runner/bytes-out';

const stand = () => {
  const abort = new AbortController();
  const sent: Uint8Array[] = [];
  const out = new BytesOut(({ bytes }) => void sent.push(bytes), abort.signal);
  return { abort, sent, out };
};

test('sends a few parts ahead, and the next as each is taken', async () => {
  const { sent, out } = stand();
  const bytes = Buffer.alloc(4_000_000, 'x');
  const put = out.put(bytes);
  await new Promise((resolve) => setImmediate(resolve));
  expect(sent.length).toBe(8);
  for (let taken = 1; taken <= 8; taken++) {
    out.taken();
    await new Promise((resolve) => setImmediate(resolve));
    expect(sent.length).toBe(8 + taken);
  }
  await put;
  expect(Buffer.concat(sent).equals(bytes)).toBe(true);
  expect(sent.every(({ buffer }) => buffer !== bytes.buffer)).toBe(true);
});

test('ends with the work', async () => {
  const { abort, out } = stand();
  const put = out.put(Buffer.alloc(4_000_000));
  abort.abort();
  await expect(put).rejects.toMatchObject({ code: 'CANCELLED' });
  await expect(out.put(Buffer.alloc(1))).rejects.toMatchObject({ code: 'CANCELLED' });
});
