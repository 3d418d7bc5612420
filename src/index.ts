#!/usr/bin/env bun
// Must be first: later imports read the mode that it sets.
import './production.ts';
import './launch.ts';

import { adminCreate } from './cli/admin-create.ts';
import type { Command } from './cli/command.ts';
import { healthcheck } from './cli/healthcheck.ts';
import { jobsList } from './cli/jobs/list.ts';
import { jobsRetry } from './cli/jobs/retry.ts';
import { migrate } from './cli/migrate.ts';
import { openapi } from './cli/openapi.ts';
import { build } from './cli/project/build.ts';
import { check } from './cli/project/check.ts';
import { dev } from './cli/project/dev.ts';
import { init } from './cli/project/init.ts';
import { types } from './cli/project/types.ts';
import { run } from './cli/run.ts';
import { serve } from './cli/serve.ts';
import { settings } from './cli/settings.ts';
import { sourcesRekey } from './cli/sources-rekey.ts';
import { exportCommand } from './cli/transfer/export.ts';
import { importCommand } from './cli/transfer/import.ts';
import { usageVerify } from './cli/usage-verify.ts';
import { usersImport } from './cli/users/import.ts';
import { usersList } from './cli/users/list.ts';
import { usersResetPassword } from './cli/users/reset-password.ts';
import { usersShow } from './cli/users/show.ts';
import { usersDisable, usersEnable } from './cli/users/state.ts';
import { version } from './cli/version.ts';
import * as resources from './resources/index.ts';

const transferred = Object.values(resources)
  .map(({ definition }) => definition)
  .filter(({ hasTransfer }) => hasTransfer);

const COMMANDS: readonly Command[] = [
  init,
  dev,
  check,
  serve,
  build,
  types,
  migrate,
  adminCreate,
  usersList,
  usersShow,
  usersDisable,
  usersEnable,
  usersResetPassword,
  usersImport,
  ...transferred.flatMap((it) => [importCommand(it), exportCommand(it)]),
  jobsList,
  jobsRetry,
  sourcesRekey,
  usageVerify,
  openapi,
  healthcheck,
  settings,
  version,
];

process.exitCode = await run(COMMANDS, process.argv.slice(2), (status) => process.exit(status));
