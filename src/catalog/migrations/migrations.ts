/** Every migration of the catalog, oldest first. Forward only: a released one is never edited. */
import { AddComparisons1764460800000 } from './add-comparisons';
import { AddExports1764720000000 } from './add-exports';
import { AddLegalHolds1764201600000 } from './add-legal-holds';
import { AddJobDeletions1763942400000 } from './add-job-deletions';
import { AddJobOutcomes1763856000000 } from './add-job-outcomes';
import { AddRestorability1764547200000 } from './add-restorability';
import { AddNewRawBytes1764115200000 } from './add-new-raw-bytes';
import { AddRecordKeys1764806400000 } from './add-record-keys';
import { AddRestorePlans1764288000000 } from './add-restore-plans';
import { AddThreeWay1764633600000 } from './add-three-way';
import { AllowKeysWithoutJob1764028800000 } from './allow-keys-without-job';
import { CreateCatalog1763769600000 } from './create-catalog';

export const MIGRATIONS = [
  CreateCatalog1763769600000,
  AddJobOutcomes1763856000000,
  AddJobDeletions1763942400000,
  AllowKeysWithoutJob1764028800000,
  AddNewRawBytes1764115200000,
  AddLegalHolds1764201600000,
  AddRestorePlans1764288000000,
  AddComparisons1764460800000,
  AddRestorability1764547200000,
  AddThreeWay1764633600000,
  AddExports1764720000000,
  AddRecordKeys1764806400000,
];
