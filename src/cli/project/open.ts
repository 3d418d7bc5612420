import type { Config } from '../../core/config/config.ts';
import { SETTINGS } from '../../core/config/settings.ts';
import { embeddedProject } from '../../project/embedded.ts';
import { readPayload } from '../../project/executable.ts';
import { hasProject, loadProject, resourceFiles } from '../../project/load.ts';
import { NO_PROJECT, type Project } from '../../project/project.ts';

/**
 * Returns the project to serve: the one that this executable carries, or the one in the directory of
 * the settings. Throws StartupError for each fault in it.
 */
export async function openProject({
  resourcesDir,
}: Pick<Config, 'resourcesDir'>): Promise<Project> {
  const payload = Bun.isStandaloneExecutable ? readPayload() : undefined;
  if (payload) return embeddedProject(payload);
  return isAbsent(resourcesDir) ? NO_PROJECT : loadProject(resourcesDir);
}

/** Returns true if the default directory has no resources. Another directory must have some. */
function isAbsent(dir: string): boolean {
  if (dir !== SETTINGS.resourcesDir.default) return false;
  return !hasProject(dir) || resourceFiles(dir).length === 0;
}
