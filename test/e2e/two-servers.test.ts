import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { codeOf } from '@arc/kernel';
import {
  arcctlCommand,
  buildImage,
  eventually,
  missingPostgres,
  runCommand,
  seedRegistry,
  startEmbeddedArc,
  startPostgres,
  startTestRegistry,
} from '@arc/testkit';
import { leads, leaseOf } from './support/leadership.ts';
import { createEndpoints, finishedOrder, installOciType, ociOrder, startWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const mebibyte = 1024 * 1024;
const [program, ...leading] = arcctlCommand;

/** The machine is gone: the server, and the steps that would outlive it. */
async function loseMachine({ arc, dataDir }: World): Promise<number> {
  await arc.stop('SIGKILL');
  let steps = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [shell, , , name, directory = ''] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (shell !== '/bin/sh' || name !== 'arc-step' || !directory.startsWith(dataDir)) continue;
    // A supervisor leads the process group of its step; its own children look like it for a moment.
    try {
      process.kill(-Number(pid), 'SIGKILL');
      steps += 1;
    } catch (error) {
      assert.equal(codeOf(error), 'ESRCH');
    }
  }
  return steps;
}

test(
  'two servers on one database: one leads, the other takes over when it is lost, and every artifact is delivered once',
  { skip: missingPostgres() },
  async () => {
    await using postgres = await startPostgres({ durable: false });
    await postgres.createDatabase('arc');
    const storage = postgres.url('arc');
    await runCommand(program, [...leading, 'storage', 'migrate', '--storage', storage]);
    await using source = await startTestRegistry({ bytesPerSecond: mebibyte });
    await using destination = await startTestRegistry();
    const names = ['one', 'two', 'three'];
    const images = names.map((name) => {
      const image = buildImage([{ name }], { random: { layers: 2, bytes: 2 * mebibyte, seed: name } });
      seedRegistry(source, `demo/${name}`, image, ['v1']);
      return image;
    });

    const args = ['--log-level', 'info'];
    await using first = await startWorld({ storage, args });
    await using second = await startWorld({ storage, args });
    assert.deepEqual([await leads(first.client), await leads(second.client)], [true, false]);
    const holder = (await leaseOf(second.client)).holderIdentity;

    await installOciType(second.client);
    await createEndpoints(second.client, source.url, destination.url);
    await second.client.create(
      orders,
      ociOrder(
        'cut',
        names.map((name) => ({ image: `demo/${name}:v1` })),
      ),
    );
    await eventually(() => destination.requests.entries.some((entry) => entry.requestBytes > 0), {
      what: 'the first bytes at the destination',
    });
    const steps = await loseMachine(first);
    assert.ok(steps > 0, 'steps were running');
    assert.equal(destination.writers.tagWrites.length, 0, 'nothing was delivered yet');

    await eventually(async () => (await leaseOf(second.client)).holderIdentity !== holder, { what: 'another leader', timeoutMs: 40_000 });
    const order = await finishedOrder(second.client, 'cut');
    assert.equal(order.status?.phase, 'Succeeded', JSON.stringify(order.status, null, 2));
    for (const [index, name] of names.entries()) {
      assert.equal(destination.content.manifest(`demo/${name}`, 'v1')?.digest, images[index]?.digest, name);
      const tagged = destination.writers.tagWrites.filter((write) => write.repository === `demo/${name}`);
      assert.equal(tagged.length, 1, `tag writes of ${name}: ${JSON.stringify(tagged)}`);
    }
    assert.equal((await leaseOf(second.client)).leaseTransitions, 1);

    await using back = await startEmbeddedArc({ dataDir: first.dataDir, storage, args, listen: new URL(first.arc.server).host });
    assert.deepEqual([await leads(first.client), await leads(second.client)], [false, true]);
    assert.match(back.output(), /"another leads"/);
    const { status } = await first.client.get<Order>(orders, { namespace: 'default', name: 'cut' });
    assert.equal(Object.keys(status?.artifactWorkflows ?? {}).length, names.length);

    // One that is stopped lets go of the lease, and the key by which Secrets are compared is the same everywhere.
    await second.arc.stop('SIGTERM');
    await eventually(() => leads(first.client), { what: 'the lease that was released' });
    const keys = await Promise.all([first, second].map(({ dataDir }) => readFile(`${dataDir}/pki/digest.key`, 'utf8')));
    const shared = await first.client.get<Secret>(secrets, { namespace: 'kube-system', name: 'arc-digest-key' });
    assert.deepEqual(
      keys.map((key) => key.trim()),
      [shared.data?.['key'], shared.data?.['key']],
    );
  },
);
