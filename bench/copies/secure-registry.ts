import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAuthority, issueServerCertificate } from '@arc/pki';
import { type DockerRegistry, findProgram, startDockerRegistry } from '@arc/testkit';

const authority = createAuthority({ commonName: 'bench' });

/** What is missing to measure copies, or undefined. */
export function missingCopyParts(): string | undefined {
  const missing = ['docker-registry', 'skopeo'].filter((name) => findProgram(name) === undefined);
  return missing.length === 0 ? undefined : `${missing.join(' and ')} not installed`;
}

/** A place for registries and certificates, in memory where that is possible: disks are not what is compared. */
export interface BenchPlace extends AsyncDisposable {
  readonly folder: string;
  readonly caFile: string;
  /** For programs that take a directory. */
  readonly certificates: string;
  /** An empty docker-registry with TLS. Disposing it removes what it holds. */
  startRegistry(): Promise<DockerRegistry>;
}

export async function openBenchPlace(): Promise<BenchPlace> {
  const folder = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'arc-bench-copies-'));
  const certificates = join(folder, 'certificates');
  await mkdir(certificates);
  const caFile = join(certificates, 'ca.crt');
  await writeFile(caFile, authority.certPem);
  let started = 0;
  return {
    folder,
    caFile,
    certificates,
    startRegistry: async () => {
      started += 1;
      const data = join(folder, `registry-${started}`);
      const { certPem, keyPem } = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
      const registry = await startDockerRegistry(findProgram('docker-registry') ?? '', data, { tls: { cert: certPem, key: keyPem } });
      return {
        ...registry,
        [Symbol.asyncDispose]: async () => {
          await registry[Symbol.asyncDispose]();
          await rm(data, { recursive: true, force: true });
        },
      };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export { authority };
