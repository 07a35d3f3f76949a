import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { storeConformance } from '@arc/storage/conformance';
import { findProgram, startEtcd, type EtcdServer } from '@arc/testkit';
import { openShared } from '../test/open-shared.ts';

const program = findProgram('etcd');

if (program === undefined) test('the etcd store conforms to the Store port', { skip: 'no etcd on this machine' });
else conform(program);

function conform(program: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'arc-etcd-'));
  const servers: EtcdServer[] = [];
  after(async () => {
    await servers.at(-1)?.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  storeConformance('the etcd store', {
    gapFree: false,
    sharing: {
      module: new URL('../test/open-shared.ts', import.meta.url),
      addressesOf() {
        const host = servers.at(-1)?.host ?? '';
        return [host, host];
      },
    },
    async open() {
      // Tests run one after the other, each with a store of its own.
      await servers.at(-1)?.kill();
      const server = await startEtcd(program, join(directory, String(servers.length)));
      servers.push(server);
      return await openShared(server.host);
    },
    async reopen(store) {
      await store[Symbol.asyncDispose]();
      const server = servers.at(-1);
      if (server === undefined) throw new Error('no etcd has been started');
      await server.kill();
      await server.start();
      return await openShared(server.host);
    },
  });
}
