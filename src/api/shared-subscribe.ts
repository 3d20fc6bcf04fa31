/**
 * `subscribe` for many subscribers of the same events: an event is executed once for all that ask for it in the same words, as the
 * same caller. Pull-based; closing a subscription ends its source at once.
 */
import {
  createSourceEventStream, execute, type DocumentNode, type ExecutionArgs, type ExecutionResult,
} from 'graphql'; // prettier-ignore
import type { JobEventRecord } from '../catalog/catalog';
import type { Clock } from '../domain/ambient';
import { refreshContext, type RequestContext } from './context';

export type Subscribe = (args: ExecutionArgs) => Promise<AsyncIterable<ExecutionResult> | ExecutionResult>;

/** An event never changes, but `JobEvent.job` shows the job as it is now: so long may that "now" be old. */
const FRESH_MS = 1_000;
const REMEMBERED_EVENTS = 1_024;

interface Executed {
  atMs: number;
  results: Map<string, Promise<ExecutionResult>>;
}

export function createSharedSubscribe(clock: Pick<Clock, 'monotonicMs'>): Subscribe {
  const nameOf = createDocumentNames();
  const executed = new Map<number, Executed>();

  const resultsOf = ({ globalSequence }: JobEventRecord): Executed['results'] => {
    const atMs = clock.monotonicMs();
    const known = executed.get(globalSequence);
    if (known && atMs - known.atMs < FRESH_MS) return known.results;
    const results: Executed['results'] = new Map();
    executed.delete(globalSequence);
    executed.set(globalSequence, { atMs, results });
    const [oldest] = executed.keys();
    if (executed.size > REMEMBERED_EVENTS && oldest !== undefined) executed.delete(oldest);
    return results;
  };
  const executeOnce = (event: JobEventRecord, key: string, args: ExecutionArgs) => {
    const results = resultsOf(event);
    const known = results.get(key);
    if (known) return known;
    const contextValue = refreshContext(args.contextValue as RequestContext);
    const result = Promise.resolve(execute({ ...args, rootValue: event, contextValue }));
    results.set(key, result);
    return result;
  };

  return async (args) => {
    const source = await createSourceEventStream(args);
    if (!(Symbol.asyncIterator in source)) return source;
    const { principal } = args.contextValue as RequestContext;
    const key = JSON.stringify([nameOf(args.document), args.operationName, args.variableValues, principal.id]);
    return mapped(source, (event) => executeOnce(event as JobEventRecord, key, args));
  };
}

/** A short name for every document object, so that keys need not repeat its text. */
function createDocumentNames(): (document: DocumentNode) => number {
  const names = new WeakMap<DocumentNode, number>();
  let count = 0;
  return (document) => {
    const name = names.get(document) ?? count++;
    names.set(document, name);
    return name;
  };
}

function mapped<In, Out>(source: AsyncIterable<In>, map: (value: In) => Promise<Out>): AsyncIterable<Out> {
  const iterator = source[Symbol.asyncIterator]();
  const done = { done: true, value: undefined } as const;
  const generator: Required<AsyncIterableIterator<Out>> = {
    async next() {
      const result = await iterator.next();
      return result.done ? done : { done: false, value: await map(result.value) };
    },
    async return() {
      await iterator.return?.();
      return done;
    },
    async throw(error: unknown) {
      await iterator.return?.();
      throw error;
    },
    [Symbol.asyncIterator]: () => generator,
  };
  return generator;
}
