import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';
import { findTool } from '../process/find-program.ts';
import { freePort } from '../process/free-port.ts';
import { collect } from '../process/collect.ts';
import type { S3User } from '../s3/signature-check.ts';

/** Why tests with MinIO are skipped; false when it is there. */
export const missingMinio: string | false =
  findTool('minio') === undefined ? 'minio is not there: test/tools/minio/build.sh builds it' : false;

/** A MinIO on loopback with an empty bucket `artifacts`. */
export interface Minio extends AsyncDisposable {
  readonly url: string;
  readonly user: S3User;
}

export async function startMinio(): Promise<Minio> {
  const program = findTool('minio');
  if (program === undefined) throw new Error(missingMinio === false ? '' : missingMinio);
  const folder = await mkdtemp(join(tmpdir(), 'arc-minio-'));
  // A directory below the data is a bucket, for a MinIO with one disk.
  await mkdir(join(folder, 'data', 'artifacts'), { recursive: true });
  const user: S3User = { accessKeyId: 'arc-tests', secretAccessKey: 'a secret/key+of=tests' };
  const host = `127.0.0.1:${await freePort()}`;
  const child = spawn(
    program,
    ['server', '--quiet', '--address', host, '--console-address', `127.0.0.1:${await freePort()}`, join(folder, 'data')],
    {
      env: {
        HOME: folder,
        MINIO_ROOT_USER: user.accessKeyId,
        MINIO_ROOT_PASSWORD: user.secretAccessKey,
        MINIO_UPDATE: 'off',
        MINIO_BROWSER: 'off',
      },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  const output = collect(child);
  const exited = once(child, 'exit');
  const url = `http://${host}`;
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
        if (child.exitCode !== null) throw new Error(`minio ended with ${child.exitCode}: ${output.text}`);
        // It says that it is ready before it knows its users: who does not exist is refused only then.
        return (await fetch(`${url}/artifacts/`, { headers: strangersHeaders() })).status === 403;
      },
      { what: `minio on ${host}`, timeoutMs: 30_000, intervalMs: 50 },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, user, [Symbol.asyncDispose]: stop };
}

/** A signed request of an access key that nobody has. */
function strangersHeaders(): Record<string, string> {
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const credential = `nobody/${date.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`;
  return { authorization, 'x-amz-date': date, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' };
}
