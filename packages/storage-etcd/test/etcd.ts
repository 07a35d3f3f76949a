import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Store, WriteItem, WriteOutcome } from '@arc/storage';
import { findProgram, startEtcd, type EtcdOptions, type EtcdServer } from '@arc/testkit';

const program = findProgram('etcd');

/** The reason to skip what needs an etcd, or undefined. */
export const missingEtcd = program === undefined ? 'no etcd on this machine' : undefined;

/** Starts etcds, each over data of its own; ends all that still run when disposed of. */
export function testEtcds(): AsyncDisposable & { start(options?: EtcdOptions): Promise<EtcdServer>; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'arc-etcd-'));
  const servers: EtcdServer[] = [];
  return {
    folder,
    async start(options = {}) {
      const server = await startEtcd(program ?? '', join(folder, `member-${servers.length}`), options);
      servers.push(server);
      return server;
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) await server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export const creation = (key: string, value = key): WriteItem => ({ key, expect: 'absent', value: bytes(value) });

export async function write(store: Store, item: WriteItem): Promise<WriteOutcome> {
  const [outcome] = await store.commit([item]);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

/** The revision of a write that must be committed. */
export async function committed(store: Store, item: WriteItem): Promise<number> {
  const outcome = await write(store, item);
  if (!outcome.committed) throw new Error(`the write of ${item.key} was refused`);
  return outcome.revision;
}
