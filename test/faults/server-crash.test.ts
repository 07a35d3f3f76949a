import { suite, test } from 'node:test';
import { assertSurvives } from './support/fault-world.ts';
import { backends } from './support/backends.ts';

for (const backend of backends) {
  suite(`a server over ${backend.name}`, { skip: backend.missing }, () => {
    test('kill -9 and then SIGTERM under load: the next one goes on where it was', async (t) => {
      await using storage = await backend.start();
      await assertSurvives(t, { storage: storage.url, endsServer: true }, async (world, load) => {
        await world.restart('SIGKILL');
        await load.progress(20);
        await world.restart('SIGTERM');
      });
    });
  });
}
