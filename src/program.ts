/** The name and version under which the program signs manifests and leases, e.g. `riskvault 0.1.0`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const { name, version } = JSON.parse(readFileSync(join(__dirname, '../package.json'), 'utf8')) as {
  name: string;
  version: string;
};

export const PROGRAM = `${name} ${version}`;
