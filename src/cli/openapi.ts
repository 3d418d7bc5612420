import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../app.ts';
import { loadConfig } from '../core/config/config.ts';
import { createDeps } from '../core/deps.ts';
import { createLog } from '../core/log.ts';
import type { Command } from './command.ts';

export const openapi: Command = {
  name: 'openapi',
  summary: 'Print the OpenAPI 3.1 document.',
  help: `Prints the document that a server would send at /openapi.json; no server is needed. Settings
that change the API, such as HUTCH_REGISTRATION, apply. The data directory is not used.`,
  flags: {},
  settings: [],
  run: async () => {
    const dataDir = mkdtempSync(join(tmpdir(), 'hutch-openapi-'));
    const log = createLog({
      level: 'error',
      format: 'text',
      write: () => {},
      now: () => new Date(),
    });
    const deps = createDeps({ ...loadConfig(), dataDir }, { log });
    try {
      const response = await createApp(deps).handle(new Request('http://localhost/openapi.json'));
      console.log(JSON.stringify(await response.json(), null, 2));
    } finally {
      await deps.close();
      rmSync(dataDir, { recursive: true });
    }
    return 0;
  },
};
