import { suite, test } from 'node:test';
import { databases } from './support/backends.ts';
import { assertSurvives } from './support/fault-world.ts';

for (const backend of databases) {
  suite(`three servers over one ${backend.name}`, { skip: backend.missing }, () => {
    test('kill -9 of one and then of the database: clients and their watches go on at any server, as if there were one', async (t) => {
      await using storage = await backend.start();
      await assertSurvives(t, { storage: storage.url, servers: 3, ended: [1] }, async ({ servers }, load) => {
        await servers[1]?.stop('SIGKILL');
        await load.progress(60);
        await servers[1]?.start();
        await load.progress(30);
        await storage.kill();
        await load.refused();
        await storage.start();
      });
    });
  });
}
