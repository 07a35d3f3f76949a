import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactWorkflows, orders } from '@arc/api/arc';
import type { ArtifactWorkflow, Order } from '@arc/api/arc';
import { cronWorkflows, workflows } from '@arc/api/argo';
import type { CronWorkflow, Workflow } from '@arc/api/argo';
import { buildImage, eventually, seedRegistry, startTestRegistry } from '@arc/testkit';
import { createEndpoints, installOciType, ociOrder, startWorld } from './support/world.ts';

const ref = { namespace: 'default', name: 'o' };
const scheduledTime = 'workflows.argoproj.io/scheduled-time';

test('an order with a schedule transfers again and again, each time once though the server is killed, until it is deleted', async () => {
  await using source = await startTestRegistry();
  await using destination = await startTestRegistry();
  seedRegistry(source, 'app', buildImage([{ a: 'b' }], { single: true }), ['v1']);
  await using world = await startWorld({ args: ['--cron-min-schedule-interval', '1s'] });
  const { client } = world;
  await installOciType(client);
  await createEndpoints(client, source.url, destination.url);

  const wish = ociOrder('o', [{ image: 'app:v1' }]);
  const often = { schedules: ['@every 2s'], concurrencyPolicy: 'Forbid', startingDeadlineSeconds: 60 };
  await client.create(orders, { ...wish, spec: { ...wish.spec, defaults: { ...wish.spec.defaults, cron: often } } });
  const succeeded = async (count: number): Promise<ArtifactWorkflow> =>
    await eventually(
      async () => {
        const [run] = (await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace: 'default' })).items;
        return (run?.status?.succeeded ?? 0) >= count ? run : undefined;
      },
      { what: `${count} runs`, timeoutMs: 60_000 },
    );
  const run = await succeeded(1);
  assert.equal(run.status?.phase, 'Active');
  assert.ok(run.status?.receipt !== undefined, 'the receipt of the last run');

  await world.restart('SIGKILL');
  const { status } = await succeeded(3);
  assert.ok((status?.nextScheduled ?? '') > (status?.lastScheduled ?? '~'));
  assert.equal(status?.failed, 0);
  const { items } = await client.list<Workflow>(workflows, { namespace: 'default' });
  const times = items.map(({ metadata }) => metadata.annotations?.[scheduledTime]);
  assert.equal(new Set(times).size, items.length, 'no time twice');
  assert.ok(items.length <= 3, 'one of each outcome is kept, and what runs');

  const listed = await world.arcctl(['order', 'list', '-o', 'wide']);
  assert.match(listed.stdout, /NEXT RUN/);
  assert.match(listed.stdout, /1 scheduled, next at 20\d\d-/);

  await client.patch(orders, ref, { spec: { suspend: true } });
  await eventually(async () => (await client.list<CronWorkflow>(cronWorkflows)).items[0]?.spec.suspend === true, {
    what: 'it to be suspended',
  });
  await client.delete(orders, ref);
  await eventually(async () => (await client.list<Order>(orders)).items.length === 0, { what: 'the order to go', timeoutMs: 30_000 });
  assert.deepEqual((await client.list(cronWorkflows)).items, []);
  assert.deepEqual((await client.list(workflows)).items, []);
});
