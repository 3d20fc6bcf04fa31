/**
 * Who may reach the open service. Without authentication it listens on loopback alone, answers only requests whose Host names
 * loopback (a page elsewhere can't point its own name at it), and upgrades only sockets opened by its own pages or by no page.
 */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../domain/errors';
import { isLoopback } from '../domain/loopback';

/** Throws CONFIG_INVALID where the service would be open to others. */
export function assertProtected(host: string): void {
  if (isLoopback(host)) return;
  throw new AppError('CONFIG_INVALID', `Refusing to listen on ${host}: there is no authentication yet.`, {
    hint: 'Set server.host (RISKVAULT_HOST) to 127.0.0.1, and reach it from elsewhere through a tunnel or an authenticating proxy.',
    path: ['server', 'host'],
  });
}

/** True when the Host header names loopback. */
export function hasLoopbackHost({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { host } = headers;
  return host !== undefined && isLoopback(host.replace(/:\d+$/, ''));
}

/** True when no page opened it, or one of this very service did. */
export function hasOwnOrigin({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  const { origin, host } = headers;
  if (origin === undefined) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
