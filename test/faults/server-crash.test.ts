import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { suite, test } from 'node:test';
import { arcctlCommand, runCommand } from '@arc/testkit';
import type { Answer } from './support/api-client.ts';
import { backends } from './support/backends.ts';
import { startFaultServer } from './support/fault-server.ts';
import { assertSurvives } from './support/fault-world.ts';
import { randomNumbers } from './support/random.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';

for (const backend of backends) {
  suite(`a server over ${backend.name}`, { skip: backend.missing }, () => {
    test('kill -9 at any moment and then SIGTERM under load: the next one goes on where it was', async (t) => {
      const random = randomNumbers(500);
      await using storage = await backend.start();
      await assertSurvives(t, { storage: storage.url, ended: [0] }, async ({ server }, load) => {
        for (const signal of ['SIGKILL', 'SIGKILL', 'SIGTERM'] as const) {
          await delay(random(50));
          await server.restart(signal);
          await load.progress(20);
        }
      });
    });

    test('history that was forgotten while it was down: a watch that would have a gap is told that it has expired', async () => {
      await using storage = await backend.start();
      await using server = await startFaultServer({ storage: storage.url });
      const revisionOf = async (answering: Promise<Answer | undefined>, code: number): Promise<string> => {
        const answer = await answering;
        assert.equal(answer?.code, code, answer?.text);
        return (JSON.parse(answer.text) as { metadata: { resourceVersion: string } }).metadata.resourceVersion;
      };
      const create = (name: string): Promise<string> =>
        revisionOf(server.client.send('POST', configMaps, { body: { metadata: { name } } }), 201);
      const before = await create('before');
      await create('missed');
      await server.stop('SIGKILL');
      const [program, ...leading] = arcctlCommand;
      const url = storage.url ?? `sqlite:${server.dataDir}/arc.db`;
      const { code, stderr } = await runCommand(program, [...leading, 'storage', 'compact', '--storage', url, '--keep', '0']);
      assert.equal(code, 0, stderr);
      await server.start();
      const watch = async (from: string): Promise<string> =>
        (await server.client.send('GET', `${configMaps}?watch=true&resourceVersion=${from}&timeoutSeconds=1`))?.text ?? '';
      assert.match(await watch(before), /"code":410/);
      const now = await revisionOf(server.client.send('GET', configMaps), 200);
      assert.doesNotMatch(await watch(now), /"code":410/, 'what comes after a list can be watched');
    });
  });
}
