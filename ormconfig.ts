/** The data source for TypeORM's own command line, e.g. `npx typeorm migration:show -d dist/ormconfig.js`. */
import { createDataSource, locateCatalog } from './src/catalog/data-source';

export default createDataSource(
  locateCatalog(process.env['RISKVAULT_CATALOG_URL'] ?? 'sqlite:./data/catalog.sqlite').options,
);
