/** Sources and the repository as the API shows them. */
import { Field, Int, ObjectType } from 'type-graphql';
import type { DataType } from '../../domain/data-type';
import type { TableMapping } from '../../domain/mapping';
import type { MappingProblem } from '../../domain/source';
import type { RepositoryUsage } from '../../services/ports';
import type { RepositoryView as RepositoryFacts } from '../../services/repository';
import type { SourceView as SourceFacts } from '../../services/sources';
import type { Principal } from '../../services/principal';
import { DataTypeEnum, MappingProblemKindEnum, SourceKindEnum, ViewerRoleEnum } from '../enums';
import { BigIntScalar } from '../scalars';

/** Asked for once a source, and only where somebody wants to know. */
export type RowEstimates = () => Promise<ReadonlyMap<string, number> | null>;

@ObjectType('MappedTable', { description: 'A table of a source and the data type it is mapped to.' })
export class MappedTableView {
  constructor(
    private readonly mapping: TableMapping,
    private readonly estimates: RowEstimates,
  ) {}

  @Field(() => String)
  get name(): string {
    return this.mapping.table;
  }

  @Field(() => DataTypeEnum)
  get dataType(): DataType {
    return this.mapping.dataType;
  }

  @Field(() => Boolean, { description: 'Whether its rows belong to single businesses.' })
  get perBusiness(): boolean {
    return this.mapping.business !== undefined;
  }

  @Field(() => BigIntScalar, {
    nullable: true,
    description:
      "The database's own estimate of its rows, which may be far off; none where it has none, or did not answer within two seconds.",
  })
  async estimatedRows(): Promise<number | null> {
    return (await this.estimates())?.get(this.mapping.table) ?? null;
  }
}

@ObjectType('MappingProblem', { description: 'Why a mapped table cannot be backed up, and what to do.' })
export class MappingProblemView {
  constructor(private readonly found: MappingProblem) {}

  @Field(() => String)
  get table(): string {
    return this.found.table;
  }

  @Field(() => MappingProblemKindEnum)
  get problem(): string {
    return this.found.problem;
  }

  @Field(() => String)
  get message(): string {
    return this.found.message;
  }

  @Field(() => String)
  get hint(): string {
    return this.found.hint;
  }
}

@ObjectType('Source', { description: 'A database that holds risk data.' })
export class SourceView {
  constructor(
    private readonly source: SourceFacts,
    private readonly estimates: RowEstimates,
  ) {}

  @Field(() => String)
  get name(): string {
    return this.source.name;
  }

  @Field(() => Boolean)
  get reachable(): boolean {
    return this.source.info !== null;
  }

  @Field(() => String, { nullable: true, description: 'Why it cannot be reached.' })
  get problem(): string | null {
    return problemText(this.source.problem);
  }

  @Field(() => SourceKindEnum, { nullable: true })
  get kind(): string | null {
    return this.source.info?.kind.toUpperCase() ?? null;
  }

  @Field(() => String, { nullable: true })
  get version(): string | null {
    return this.source.info?.version ?? null;
  }

  @Field(() => String, { nullable: true })
  get schema(): string | null {
    return this.source.info?.schema ?? null;
  }

  @Field(() => [MappedTableView])
  get tables(): MappedTableView[] {
    return this.source.mapping.map((table) => new MappedTableView(table, this.estimates));
  }

  @Field(() => [MappingProblemView], { description: 'Empty: every mapped table can be backed up.' })
  get mappingProblems(): MappingProblemView[] {
    return this.source.mappingProblems.map((problem) => new MappingProblemView(problem));
  }
}

@ObjectType({ description: 'Who this request is.' })
export class Viewer {
  @Field(() => String)
  readonly name!: string;

  @Field(() => ViewerRoleEnum)
  readonly role!: Principal['role'];
}

@ObjectType('RepositoryInfo', { description: 'Where backups are stored.' })
export class RepositoryInfoView {
  constructor(
    private readonly repository: RepositoryFacts,
    private readonly usage: () => Promise<RepositoryUsage | null>,
  ) {}

  @Field(() => String, { description: 'Without secrets.' })
  get location(): string {
    return this.repository.location;
  }

  @Field(() => Boolean)
  get reachable(): boolean {
    return this.repository.facts !== null;
  }

  @Field(() => String, { nullable: true, description: 'Why it cannot be opened.' })
  get problem(): string | null {
    return problemText(this.repository.problem);
  }

  @Field(() => Int, { nullable: true })
  get formatVersion(): number | null {
    return this.repository.facts?.formatVersion ?? null;
  }

  @Field(() => Boolean, { nullable: true })
  get encrypted(): boolean | null {
    return this.repository.facts?.encrypted ?? null;
  }

  @Field(() => String, { nullable: true })
  get compression(): string | null {
    return this.repository.facts?.compression ?? null;
  }

  @Field(() => Int, { nullable: true, description: 'Packs stored now; none where it cannot be opened.' })
  async packCount(): Promise<number | null> {
    return (await this.usage())?.packCount ?? null;
  }

  @Field(() => BigIntScalar, {
    nullable: true,
    description:
      'Bytes of all packs stored now, those included that only wait for collection; none where it cannot be opened. The packs are ' +
      'listed for it.',
  })
  async packBytes(): Promise<number | null> {
    return (await this.usage())?.packBytes ?? null;
  }
}

/** Internal errors keep their words to themselves. */
function problemText(problem: SourceFacts['problem']): string | null {
  if (!problem) return null;
  const message = problem.code === 'INTERNAL' ? 'It failed in a way the service did not foresee.' : problem.message;
  return problem.hint ? `${message} ${problem.hint}` : message;
}
