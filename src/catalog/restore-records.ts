/** Restores as they are read. */
import type { SelectQueryBuilder } from 'typeorm';
import type { RestoreFilter, RestoreOrderField, RestoreRecords } from './catalog';
import type { Database } from './database';
import { RestoreEntity } from './entities';
import { KeysetList, whereCreated, whereIn } from './keyset';
import type { RestoreRecord } from './records';
import { toRestore } from './to-records';

export class CatalogRestores
  extends KeysetList<RestoreEntity, RestoreRecord, RestoreFilter, RestoreOrderField>
  implements RestoreRecords
{
  constructor(database: Database) {
    super(database, {
      entity: RestoreEntity,
      toItem: toRestore,
      idOf: (row) => row.id,
      applyFilter: applyRestoreFilter,
      fields: {
        CREATED_AT: { property: 'createdAt', nullable: false },
        FINISHED_AT: { property: 'finishedAt', nullable: true },
      },
      defaultField: 'CREATED_AT',
      valueOf: (restore, field) => (field === 'CREATED_AT' ? restore.createdAt : restore.finishedAt),
    });
  }
}

function applyRestoreFilter(query: SelectQueryBuilder<RestoreEntity>, filter: RestoreFilter): boolean {
  whereCreated(query, filter);
  return (
    whereIn(query, 'id', filter.ids) &&
    whereIn(query, 'state', filter.states) &&
    whereIn(query, 'source', filter.sources) &&
    whereIn(query, 'backupId', filter.backupIds) &&
    whereIn(query, 'businessId', filter.businessIds) &&
    whereIn(query, 'undoesId', filter.undoes) &&
    whereIn(query, 'createdBy', filter.createdBy)
  );
}
