// The real worker thread, running the TypeScript as it stands: tests of the data path need no build.
require('./register-ts.js');
require('../../src/worker.ts');
