/** A TCP proxy between a client and a server of a test, which can cut every connection, also at a moment that the bytes tell. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface TcpProxy {
  port: number;
  /** Cuts every connection that is open. New ones are taken. */
  cut(): void;
  /**
   * Cuts when the client's bytes hold `what`: BEFORE the server gets them, or AFTER the server got them and before its answer
   * reaches the client. Once.
   */
  cutOn(what: string | RegExp, when: 'BEFORE' | 'AFTER'): void;
  /** The same with the n-th piece of bytes that clients send from now on, whichever connection it comes by. Tells whether it came. */
  cutAt(n: number, when: 'BEFORE' | 'AFTER'): { hasCut(): boolean };
  close(): Promise<void>;
}

/** The statement COMMIT, in whatever packet: neither BLOCK_COMMIT nor the mark of a commit. */
export const COMMIT_STATEMENT = /[^_]COMMIT$/;

interface Trigger {
  fires(data: Buffer): boolean;
  when: 'BEFORE' | 'AFTER';
}

function holds(data: Buffer, what: string | RegExp): boolean {
  return typeof what === 'string' ? data.includes(what) : what.test(data.toString('latin1'));
}

export async function openTcpProxy(host: string, port: number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let trigger: Trigger | null = null;
  const server: Server = createServer((client) => {
    const upstream = connect(port, host);
    const pair: [Socket, Socket] = [client, upstream];
    let cutAtAnswer = false;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.on('data', (data) => {
      if (trigger?.fires(data)) {
        const { when } = trigger;
        trigger = null;
        if (when === 'BEFORE') return end();
        cutAtAnswer = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => (cutAtAnswer ? end() : client.write(data)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = (): void => {
    for (const [client, upstream] of pairs) {
      client.destroy();
      upstream.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut,
    cutOn: (what, when) => void (trigger = { fires: (data) => holds(data, what), when }),
    cutAt: (n, when) => {
      let left = n;
      const mine: Trigger = { fires: () => --left === 0, when };
      trigger = mine;
      return { hasCut: () => trigger !== mine };
    },
    close: () => {
      cut();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
