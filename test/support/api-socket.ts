/** A raw graphql-transport-ws client: it sends just what it is told, and keeps what it got and how the socket was closed. */
import { once } from 'node:events';
import { WebSocket } from 'ws';

export interface SocketMessage {
  type: string;
  id?: string;
  payload?: unknown;
}

export class RawSocket {
  readonly received: SocketMessage[] = [];
  closed: { code: number; reason: string } | null = null;
  private readonly waiting = new Set<() => void>();

  private constructor(readonly socket: WebSocket) {
    socket.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as SocketMessage);
      this.wake();
    });
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.wake();
    });
    socket.on('error', () => undefined);
  }

  /** Connects without initialising. */
  static async open(
    address: string,
    options: { protocol?: string | null; headers?: Record<string, string> } = {},
  ): Promise<RawSocket> {
    const { protocol = 'graphql-transport-ws', ...rest } = options;
    const socket = new WebSocket(`${address.replace('http', 'ws')}/graphql`, protocol ?? [], rest);
    const raw = new RawSocket(socket);
    await once(socket, 'open');
    return raw;
  }

  /** Connects and initialises. */
  static async ready(address: string): Promise<RawSocket> {
    const raw = await RawSocket.open(address);
    raw.send({ type: 'connection_init' });
    await raw.until(() => raw.received.length > 0);
    return raw;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  subscribe(id: string, query: string, variables?: Record<string, unknown>): void {
    this.send({ id, type: 'subscribe', payload: { query, variables } });
  }

  of(id: string, type: string): SocketMessage[] {
    return this.received.filter((message) => message.id === id && message.type === type);
  }

  /** The data of every `next` of an operation. */
  data<Data>(id: string): Data[] {
    return this.of(id, 'next').map((message) => (message.payload as { data: Data }).data);
  }

  /** Resolves once `condition` holds, looked at after every message and at the close. */
  until(condition: () => boolean): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const check = () => {
        if (!condition() && this.closed === null) return;
        this.waiting.delete(check);
        if (condition()) resolve();
        else reject(new Error(`closed before it came true: ${condition.toString()} ${JSON.stringify(this.closed)}`));
      };
      this.waiting.add(check);
    });
  }

  async close(): Promise<void> {
    if (this.socket.readyState === WebSocket.CLOSED) return;
    const gone = once(this.socket, 'close');
    this.socket.terminate();
    await gone;
  }

  private wake(): void {
    for (const check of [...this.waiting]) check();
  }
}
