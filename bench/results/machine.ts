import { execFile } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { findProgram, kubernetesVersion, postgresVersion } from '@arc/testkit';
import type { Machine } from './measurement.ts';

const run = promisify(execFile);

/** What of a machine its figures depend on; nothing that names it. */
export async function describeMachine(): Promise<Machine> {
  const [cpu] = cpus();
  return {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryBytes: totalmem(),
    kernel: release().replace(/-.*/, ''),
    node: process.versions.node,
    versions: {
      SQLite: process.versions['sqlite'] ?? 'unknown',
      PostgreSQL: postgresVersion() ?? 'none',
      etcd: await etcdVersion(),
      Kubernetes: (await kubernetesVersion()) ?? 'none',
    },
  };
}

async function etcdVersion(): Promise<string> {
  const program = findProgram('etcd');
  if (program === undefined) return 'none';
  const { stdout } = await run(program, ['--version']);
  return /etcd Version: (\S+)/.exec(stdout)?.[1] ?? 'unknown';
}
