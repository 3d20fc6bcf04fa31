/** The executable schema, built once from the resolvers. */
import 'reflect-metadata';
import { GraphQLInputObjectType, type GraphQLSchema } from 'graphql';
import { buildSchemaSync, type PubSub } from 'type-graphql';
import './enums';
import { locateAppErrors } from './locate-errors';
import { BackupResolver, BackupStatisticsResolver, StorageForecastResolver } from './resolvers/backup-resolver';
import { ComparisonResolver, JobComparison } from './resolvers/comparison-resolver';
import { ExportResolver } from './resolvers/export-resolver';
import { JobResolver } from './resolvers/job-resolver';
import { LegalHoldResolver } from './resolvers/legal-hold-resolver';
import { BackupHolds, BackupLinks, JobEventLinks, JobLinks, RestoreLinks } from './resolvers/link-resolvers';
import { NodeResolver } from './resolvers/node-resolver';
import { OverviewResolver } from './resolvers/overview-resolver';
import { BackupRecords, RecordHistory } from './resolvers/record-resolver';
import { RestorePlanResolver } from './resolvers/restore-plan-resolver';
import { RestoreResolver } from './resolvers/restore-resolver';
import { RetentionPreviewResolver, RetentionVerdictLinks } from './resolvers/retention-resolver';
import { ThreeWayPlans, ThreeWayRestores } from './resolvers/three-way-resolver';

/** type-graphql wants one before it accepts subscriptions; ours all bring their own iterators. */
const UNUSED_PUB_SUB: PubSub = {
  publish: () => refuseTopic(),
  subscribe: () => refuseTopic(),
};

function refuseTopic(): never {
  throw new Error('Subscriptions bring their own iterators; there are no topics.');
}

export function buildApiSchema(): GraphQLSchema {
  const schema = buildSchemaSync({
    resolvers: [
      BackupResolver,
      BackupStatisticsResolver,
      StorageForecastResolver,
      RestorePlanResolver,
      ComparisonResolver,
      JobComparison,
      RestoreResolver,
      ExportResolver,
      JobResolver,
      NodeResolver,
      OverviewResolver,
      BackupLinks,
      BackupHolds,
      BackupRecords,
      RecordHistory,
      LegalHoldResolver,
      RetentionPreviewResolver,
      RetentionVerdictLinks,
      RestoreLinks,
      ThreeWayPlans,
      ThreeWayRestores,
      JobLinks,
      JobEventLinks,
    ],
    validate: false,
    pubSub: UNUSED_PUB_SUB,
  });
  markOneOf(schema, 'RestoreTargetInput');
  locateAppErrors(schema);
  return schema;
}

/** @oneOf as a directive is dropped on the way; the built type's flag is what counts. */
function markOneOf(schema: GraphQLSchema, name: string): void {
  const type = schema.getType(name);
  if (!(type instanceof GraphQLInputObjectType)) throw new Error(`${name} is no input type`);
  type.isOneOf = true;
}
