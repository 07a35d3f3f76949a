import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arcctlCommand, kubernetesEtcd, missingPostgres, runCommand, startEtcd, startPostgres } from '@arc/testkit';

/** A storage that hangs and goes on, as a database does whose disk is slow or whose primary is being replaced. */
export interface SharedStorage extends AsyncDisposable {
  readonly url: string;
  pause(): void;
  resume(): void;
}

export const storages: Readonly<Record<string, { readonly missing: string | false | undefined; start(): Promise<SharedStorage> }>> = {
  PostgreSQL: {
    missing: missingPostgres(),
    async start() {
      const postgres = await startPostgres({ durable: false });
      await postgres.createDatabase('arc');
      const [program, ...leading] = arcctlCommand;
      const url = postgres.url('arc');
      const migrated = await runCommand(program, [...leading, 'storage', 'migrate', '--storage', url]);
      assert.equal(migrated.code, 0, migrated.stderr);
      return {
        url,
        pause: () => signalChildren(postgres.pid, 'SIGSTOP'),
        resume: () => signalChildren(postgres.pid, 'SIGCONT'),
        [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
      };
    },
  },
  etcd: {
    missing: false,
    async start() {
      const folder = await mkdtemp(join(tmpdir(), 'arc-replicas-'));
      const etcd = await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd'));
      return {
        url: `etcd://${etcd.host}`,
        pause: () => etcd.pause(),
        resume: () => etcd.resume(),
        async [Symbol.asyncDispose]() {
          await etcd[Symbol.asyncDispose]();
          await rm(folder, { recursive: true, force: true });
        },
      };
    },
  },
};

/** Every session of PostgreSQL is a process of its own. */
function signalChildren(parent: number | undefined, signal: NodeJS.Signals): void {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    let stat: string;
    try {
      stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    } catch {
      continue;
    }
    const [, owner] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (Number(owner) === parent) process.kill(Number(pid), signal);
  }
}
