/**
 * The one place that decides who may do what. Every service method calls it before it reads or writes anything. In open mode (the
 * only one so far) there is a single principal, the operator, who may do everything.
 */
import { AppError } from '../domain/errors';
import type { Principal } from './principal';

export type Action =
  | 'backup:create'
  | 'backup:read'
  | 'backup:delete'
  | 'backup:verify'
  | 'backup:rehearse'
  | 'backup:compact'
  | 'backup:compare'
  | 'backup:hold'
  | 'record:read'
  | 'export:create'
  | 'export:read'
  | 'restore:create'
  | 'restore:plan'
  | 'restore:read'
  | 'job:read'
  | 'job:cancel'
  | 'source:read'
  | 'repository:read';

/** Throws FORBIDDEN unless `principal` may do `action`. */
export function authorize(principal: Principal, action: Action): void {
  if (principal.role === 'OPERATOR') return;
  throw new AppError('FORBIDDEN', `You may not do this: ${action}.`, { hint: 'Ask an operator for the right.' });
}
