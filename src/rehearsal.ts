import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from './app.ts';
import type { Config } from './core/config/config.ts';
import { createDeps } from './core/deps.ts';
import { createLog } from './core/log.ts';
import type { Project } from './project/project.ts';

/**
 * Builds the application over a new, empty database and returns its OpenAPI document. Throws what a
 * start would throw, such as StartupError for a route that declares no access. The data directory of
 * `config` is not used.
 */
export async function rehearse<Document>(config: Config, project: Project): Promise<Document> {
  const dataDir = mkdtempSync(join(tmpdir(), 'hutch-openapi-'));
  const log = createLog({ level: 'error', format: 'text', write: () => {}, now: () => new Date() });
  const { resources } = project;
  try {
    // Migrations change tables of before, which the new database does not have.
    const deps = createDeps({ ...config, dataDir }, { log, resources, migrations: [] });
    try {
      const response = await createApp(deps).handle(new Request('http://localhost/openapi.json'));
      return (await response.json()) as Document;
    } finally {
      await deps.close();
    }
  } finally {
    rmSync(dataDir, { recursive: true });
  }
}
