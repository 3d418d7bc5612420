import type { Command } from './command.ts';
import { configOf } from './open.ts';
import { print } from './output.ts';

const TIMEOUT_MS = 3000;

export const healthcheck: Command = {
  name: 'healthcheck',
  summary: 'Check whether a running server is ready.',
  help: `Calls /health/ready at the configured host and port, or at --url, and exits with 0 if it
responds 200 within 3 seconds, otherwise with 1. For HEALTHCHECK in a container.`,
  flags: { url: { value: 'url', help: 'Base URL of the server, instead of host and port.' } },
  settings: ['host', 'port'],
  run: async (invocation) => {
    const { host, port } = configOf(invocation);
    const name = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? host;
    const base = (invocation.flags['url'] ?? `http://${name}:${port}`).replace(/\/$/, '');
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(`${base}/health/ready`, { signal, proxy: false });
      await print(response.ok ? 'ready' : `not ready: status ${response.status}`);
      return response.ok ? 0 : 1;
    } catch (error) {
      console.error(`not ready: ${error instanceof Error ? error.message : String(error)}`);
      return 1;
    }
  },
};
