import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Store } from '@arc/storage';
import { storeConformance } from '@arc/storage/conformance';
import { findProgram, startEtcd, type EtcdServer } from '@arc/testkit';
import { openEtcdStore } from './etcd-store.ts';

const program = findProgram('etcd');
const layout = { storePrefix: '', etcdPrefix: '/conformance' };

if (program === undefined) test('the etcd store conforms to the Store port', { skip: 'no etcd on this machine' });
else conform(program);

function conform(program: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'arc-etcd-'));
  const servers: EtcdServer[] = [];
  after(async () => {
    await servers.at(-1)?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  async function openAt({ host }: EtcdServer): Promise<Store> {
    return openEtcdStore({ endpoints: [host], layout });
  }

  storeConformance('the etcd store', {
    gapFree: false,
    async open() {
      // Tests run one after the other, each with a store of its own.
      await servers.at(-1)?.kill();
      const server = await startEtcd(program, join(directory, String(servers.length)));
      servers.push(server);
      return openAt(server);
    },
    async reopen(store) {
      await store[Symbol.asyncDispose]();
      const server = servers.at(-1);
      if (server === undefined) throw new Error('no etcd has been started');
      await server.kill();
      await server.start();
      return openAt(server);
    },
  });
}
