import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';
import { freePort } from '../process/free-port.ts';

export interface DockerRegistry extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, or `https://` with `tls`. */
  readonly url: string;
  /** `127.0.0.1:PORT` */
  readonly host: string;
  readonly pid: number;
}

export interface DockerRegistryOptions {
  /** PEM certificate and key for 127.0.0.1. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Lines of an htpasswd file, passwords hashed with bcrypt. */
  readonly htpasswd?: string;
  /** A token service that signs with the key of this certificate (PEM). */
  readonly token?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly certificate: string };
}

/** Starts Debian's `docker-registry` on loopback with its data under `folder`. */
export async function startDockerRegistry(program: string, folder: string, options: DockerRegistryOptions = {}): Promise<DockerRegistry> {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  await mkdir(folder, { recursive: true });
  const { tls, htpasswd, token } = options;
  const write = async (name: string, content: string): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const configuration = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(folder, 'data') }, delete: { enabled: true } },
    http: {
      addr: host,
      ...(tls !== undefined && { tls: { certificate: await write('tls.crt', tls.cert), key: await write('tls.key', tls.key) } }),
    },
    ...(htpasswd !== undefined && { auth: { htpasswd: { realm: 'test', path: await write('htpasswd', htpasswd) } } }),
    ...(token !== undefined && {
      auth: {
        token: {
          realm: token.realm,
          service: token.service,
          issuer: token.issuer,
          rootcertbundle: await write('token.crt', token.certificate),
        },
      },
    }),
  };
  const file = await write('config.yml', JSON.stringify(configuration));
  const child = spawn(program, ['serve', file], { stdio: 'ignore' });
  await eventually(() => accepts(port), { what: `docker-registry on ${host}`, timeoutMs: 15_000 });
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host}`,
    host,
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}
