/** The whole service within the test's own process, through its composition root, with worker threads from compiled code. */
import { join } from 'node:path';
import { createApp, type App } from '../../src/app';
import { systemClock, systemRandom } from '../../src/ops/ambient';
import { loadConfig } from '../../src/ops/config/load-config';
import { ServiceClient } from './service-client';
import { serviceFolder, writeSettings, type ServicePlace } from './service-settings';
import { silentLog } from './silent-log';

export interface ServiceApp {
  readonly address: string;
  readonly client: ServiceClient;
  /** Its folder: catalog.sqlite, repository. */
  readonly path: string;
  close(): Promise<void>;
}

export async function startServiceApp(place: ServicePlace): Promise<ServiceApp> {
  const folder = serviceFolder();
  try {
    const app = await openApp(folder.path, place);
    const close = async (): Promise<void> => {
      await app.close();
      folder.remove();
    };
    return { address: app.address, client: new ServiceClient(() => app.address), path: folder.path, close };
  } catch (error) {
    folder.remove();
    throw error;
  }
}

function openApp(folder: string, place: ServicePlace): Promise<App> {
  const { settings } = loadConfig({ environment: { RISKVAULT_CONFIG: writeSettings(folder, place) } });
  const distFolder = join(__dirname, '../../dist');
  return createApp({ settings, clock: systemClock, random: systemRandom, log: silentLog, distFolder });
}
