import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface OwnServer {
  url: string;
  stop(): Promise<void>;
}

const ROOT = join(import.meta.dir, '../..');

/** Starts a server on a free port. Without `dataDir` its data are gone when it stops. */
export async function startOwnServer(dataDir?: string): Promise<OwnServer> {
  const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'hutch-demo-')));
  const child = Bun.spawn(
    [process.execPath, 'src/index.ts', 'serve', '--port', '0', '--data-dir', dir],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        HUTCH_HOST: '127.0.0.1',
        HUTCH_LOG_FORMAT: 'json',
        HUTCH_RATE_LIMIT: 'off',
        // There are more places than an account may have by default.
        HUTCH_QUOTA_ITEMS: '1000000',
      },
      stdout: 'pipe',
      stderr: 'inherit',
      // A Ctrl-C is for the demo, which stops the server when its requests are done.
      detached: true,
    },
  );
  const kill = () => void child.kill();
  process.on('exit', kill);
  const stop = async () => {
    kill();
    await child.exited;
    process.off('exit', kill);
    if (!dataDir) await rm(dir, { recursive: true });
  };
  const url = await listening(child.stdout);
  if (url) return { url, stop };
  await stop();
  throw new Error('The server did not start.');
}

/** The address in the log's line of it; reads the rest of the log away. */
function listening(log: ReadableStream<Uint8Array>): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const read = async () => {
    const decoder = new TextDecoder();
    let text = '';
    for await (const chunk of log) {
      text += decoder.decode(chunk, { stream: true });
      const url = /"message":"Listening\.".*?"url":"([^"]+)"/.exec(text)?.[1];
      if (url) resolve(url);
      text = text.slice(text.lastIndexOf('\n') + 1);
    }
    resolve(undefined);
  };
  void read();
  return promise;
}
