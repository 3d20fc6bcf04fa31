/** Every migration of the catalog, oldest first. Forward only: a released one is never edited. */
import { CreateCatalog1763769600000 } from './create-catalog';

export const MIGRATIONS = [CreateCatalog1763769600000];
