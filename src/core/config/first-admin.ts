import { shellWord } from '../../utils/shell.ts';
import { SETTINGS } from './settings.ts';

/** Returns the shell command that creates the first admin in `dataDir`. */
export function firstAdminCommand(dataDir: string = SETTINGS.dataDir.default): string {
  const hutch = Bun.isStandaloneExecutable ? 'hutch' : 'npx -y bun@1.4.5 run hutch';
  const where = dataDir === SETTINGS.dataDir.default ? '' : ` --data-dir ${shellWord(dataDir)}`;
  return `${hutch} admin create${where} --email you@example.com --username you`;
}
