/** Listening: that it can be done is seen before the service makes anything, so that a start which is refused leaves nothing behind. */
import type { FastifyInstance } from 'fastify';
import { createServer, type AddressInfo } from 'node:net';
import { AppError } from '../domain/errors';
import type { Settings } from '../domain/settings';
import { assertProtected } from './access';

type Place = Settings['server'];

export interface Listening {
  /** e.g. `http://127.0.0.1:4000` */
  address: string;
  port: number;
}

/** Throws CONFIG_INVALID where it can't be listened now, or must not be; holds nothing afterwards. */
export async function assertCanListen({ host, port }: Place): Promise<void> {
  assertProtected(host);
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(cannotListen({ host, port }, error)));
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}

/** Throws CONFIG_INVALID. */
export async function listen(http: FastifyInstance, { host, port }: Place): Promise<Listening> {
  try {
    const address = await http.listen({ host, port });
    return { address, port: (http.server.address() as AddressInfo).port };
  } catch (error) {
    throw cannotListen({ host, port }, error);
  }
}

function cannotListen({ host, port }: Place, error: unknown): AppError {
  return new AppError('CONFIG_INVALID', `Can't listen on ${host}:${port}: ${(error as Error).message}`, {
    hint: 'Stop what uses the port, or set server.port (RISKVAULT_PORT) to another.',
    path: ['server', 'port'],
    cause: error,
  });
}
