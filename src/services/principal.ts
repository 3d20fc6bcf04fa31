/** Who asks. Every service method takes one, so that authorization has a single place to look at it. */

export interface Principal {
  /** Stable identity: owner of idempotency keys, `createdBy` of jobs. */
  readonly id: string;
  readonly name: string;
  readonly role: 'OPERATOR';
}

/** Everybody, while the service runs open on loopback. */
export const LOCAL_OPERATOR: Principal = { id: 'local', name: 'local', role: 'OPERATOR' };
