import assert from 'node:assert/strict';
import { test } from 'node:test';
import { orders } from '@arc/api/arc';
import {
  arcctlCommand,
  buildImage,
  eventually,
  missingPostgres,
  runCommand,
  seedRegistry,
  startPostgres,
  startTestRegistry,
} from '@arc/testkit';
import { leads, leaseOf } from './support/leadership.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';

const mebibyte = 1024 * 1024;
const [program, ...leading] = arcctlCommand;

test(
  'an outage of the database that costs the lease ends no transfer: they go on, and are recorded when it is over',
  { skip: missingPostgres() },
  async () => {
    await using postgres = await startPostgres();
    await postgres.createDatabase('arc');
    const storage = postgres.url('arc');
    await runCommand(program, [...leading, 'storage', 'migrate', '--storage', storage]);
    await using source = await startTestRegistry({ bytesPerSecond: mebibyte / 4 });
    await using destination = await startTestRegistry();
    const image = buildImage([{ name: 'slow' }], { random: { layers: 1, bytes: 4 * mebibyte, seed: 'slow' } });
    seedRegistry(source, 'demo/slow', image, ['v1']);
    await using world = await startWorld({ storage, args: ['--log-level', 'info'] });
    await installOciType(world.client);
    await createEndpoints(world.client, source.url, destination.url);
    await world.client.create(orders, ociOrder('slow', [{ image: 'demo/slow:v1' }]));
    await eventually(() => destination.requests.entries.some((entry) => entry.requestBytes > 0), {
      what: 'the first bytes at the destination',
    });

    await postgres.stop('kill');
    await eventually(() => world.arc.output().includes('"the lease is lost"'), { what: 'the loss of the lease', timeoutMs: 30_000 });
    await postgres.start();
    const order = await finishedOrder(world.client, 'slow');
    assert.equal(order.status?.phase, 'Succeeded', JSON.stringify(order.status, null, 2));
    assert.equal(destination.writers.of('demo/slow').sequence.length, 1, 'one process has delivered it');
    assert.deepEqual(world.arc.output().match(/"message":"leading"/g)?.length, 2);
    assert.equal((await leaseOf(world.client)).leaseTransitions, 0);
    assert.ok(await leads(world.client));
  },
);
