/** What is backed up from where to where. */
import { Ctx, Query, Resolver } from 'type-graphql';
import type { RequestContext } from '../context';
import { RepositoryInfoView, SourceView, Viewer } from '../types/overview';

@Resolver()
export class OverviewResolver {
  @Query(() => [SourceView])
  async sources(@Ctx() { services, principal, signal }: RequestContext): Promise<SourceView[]> {
    const sources = await services.sources.list(principal, signal);
    return sources.map((source) => {
      const estimates = once(() => services.sources.estimateRows(principal, source.name, signal));
      return new SourceView(source, estimates);
    });
  }

  @Query(() => Viewer, { description: 'While the service runs open on loopback, everybody is its operator.' })
  viewer(@Ctx() { principal }: RequestContext): Viewer {
    return { name: principal.name, role: principal.role };
  }

  @Query(() => RepositoryInfoView)
  async repository(@Ctx() { services, principal }: RequestContext): Promise<RepositoryInfoView> {
    const usage = once(() => services.repository.usage(principal));
    return new RepositoryInfoView(await services.repository.describe(principal), usage);
  }
}

/** Fields that ask for the same answer share it. */
function once<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | undefined;
  return () => (asked ??= ask());
}
