/** The repository as the API shows it. */
import { toErrorData, type ErrorData } from '../domain/errors';
import { authorize } from './authorize';
import type { RepositoryFacts, RepositoryPort, RepositoryUsage } from './ports';
import type { Principal } from './principal';

export interface RepositoryView {
  location: string;
  /** Null where it can't be opened; `problem` says why. */
  facts: RepositoryFacts | null;
  problem: ErrorData | null;
}

export interface RepositoryService {
  describe(principal: Principal): Promise<RepositoryView>;
  /** Bytes that can still be stored; null where nobody knows, or it can't be opened, which `describe` tells. */
  freeBytes(principal: Principal): Promise<number | null>;
  /** Null where it can't be opened, which `describe` tells. */
  usage(principal: Principal): Promise<RepositoryUsage | null>;
}

export function createRepositoryService(repository: RepositoryPort): RepositoryService {
  return {
    async describe(principal) {
      authorize(principal, 'repository:read');
      const { location } = repository;
      try {
        return { location, facts: await repository.facts(), problem: null };
      } catch (error) {
        // because: the one who asks how the repository is must hear that it is down
        return { location, facts: null, problem: toErrorData(error) };
      }
    },
    async freeBytes(principal) {
      authorize(principal, 'repository:read');
      return repository.freeBytes().catch(() => null); // because `describe` says why to whoever asks
    },
    async usage(principal) {
      authorize(principal, 'repository:read');
      return repository.usage().catch(() => null); // because `describe` says why to whoever asks
    },
  };
}
