/**
 * One text for all sockets that send the same execution result. graphql-ws writes each message as `{id, type, payload}`; here it
 * writes the envelope alone, since what stands for the payload vanishes when it is written, and the payload's text, written once
 * per result, is set into the envelope on its way out.
 */
import type { ExecutionResult } from 'graphql';

export interface SharedPayloads {
  /** What to give graphql-ws for a result. */
  of(result: ExecutionResult): ExecutionResult;
  /** The message to send for what graphql-ws has just written. To be called at once: nothing else may be written in between. */
  complete(written: string): string;
}

/** `visible`: what clients may see of a result. */
export function createSharedPayloads(visible: (result: ExecutionResult) => object): SharedPayloads {
  const placeholders = new WeakMap<ExecutionResult, ExecutionResult>();
  let vanished: string | null = null;

  const placeholderOf = (text: string): ExecutionResult & { toJSON(): undefined } => ({
    toJSON() {
      vanished = text;
      return undefined;
    },
  });
  return {
    of(result) {
      const known = placeholders.get(result);
      if (known) return known;
      const placeholder = placeholderOf(JSON.stringify(visible(result)));
      placeholders.set(result, placeholder);
      return placeholder;
    },
    complete(written) {
      if (vanished === null) return written;
      const message = `${written.slice(0, -1)},"payload":${vanished}}`;
      vanished = null;
      return message;
    },
  };
}
