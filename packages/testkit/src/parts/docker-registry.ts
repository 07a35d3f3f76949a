import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';
import { freePort } from '../process/free-port.ts';

export interface DockerRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
}

/** Starts Debian's `docker-registry` on loopback with its data under `folder`. */
export async function startDockerRegistry(program: string, folder: string): Promise<DockerRegistry> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  await mkdir(folder, { recursive: true });
  const configuration = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: { addr: host },
  };
  const file = join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(configuration));
  const child = spawn(program, ['serve', file], { stdio: 'ignore' });
  const url = `http://${host}`;
  await eventually(async () => (await fetch(`${url}/v2/`)).ok, { what: `docker-registry on ${host}`, timeoutMs: 15_000 });
  return {
    url,
    host,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}
