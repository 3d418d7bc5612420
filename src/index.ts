#!/usr/bin/env bun
// First: later imports read the mode that it sets.
import './production.ts';
import './launch.ts';

import { run } from './cli/run.ts';

process.exitCode = await run(process.argv.slice(2), (status) => process.exit(status));
