import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';
import { findProgram } from '../process/find-program.ts';
import { freePort } from '../process/free-port.ts';

/** Why tests with a WebDAV server of rclone are skipped; false when it is there. */
export const missingRclone: string | false = findProgram('rclone') === undefined ? 'rclone is not there (Debian package rclone)' : false;

/** A WebDAV server, class 2, on loopback, over an empty directory. */
export interface WebdavServer extends AsyncDisposable {
  readonly url: string;
}

export async function startRcloneWebdav(): Promise<WebdavServer> {
  const program = findProgram('rclone');
  if (program === undefined) throw new Error(String(missingRclone));
  const folder = await mkdtemp(join(tmpdir(), 'arc-webdav-'));
  const host = `127.0.0.1:${await freePort()}`;
  const url = `http://${host}`;
  const child = spawn(program, ['serve', 'webdav', folder, '--addr', host, '--config', '/dev/null'], {
    env: { HOME: folder },
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`rclone ended with ${child.exitCode}`);
        return (await fetch(url, { method: 'OPTIONS' })).ok;
      },
      { what: `rclone on ${host}`, timeoutMs: 15_000, intervalMs: 20 },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, [Symbol.asyncDispose]: stop };
}
