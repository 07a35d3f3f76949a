import type { Endpoint } from '@arc/api/arc';
import { secretDigestsAnnotation, sourceSecretParameter } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { createFakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWorld, endpoint, endpoints, namespace, order, orders, podNode, secret, secrets, supply } from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import { recordedDigest, secretDigest } from '../identity/secret-digest.ts';
import { redactorFor } from './redaction.ts';

const { signal } = new AbortController();
const source = (name: string): Endpoint => endpoint('src', { secretRef: { name } });

async function failingWith(world: World, message: string, before: () => Promise<unknown>): Promise<string> {
  supply(world);
  world.client.put(secrets, secret('creds', { password: 'hunter2hunter2' }));
  world.apply(endpoints, source('creds'));
  world.apply(orders, order(['a']));
  await world.settle();
  const [workflow] = world.workflows();
  await before();
  const node = podNode('p-1', { displayName: 'push', phase: 'Failed', message });
  world.report(workflow?.metadata.name ?? '', { phase: 'Failed', finishedAt: '2026-01-01T00:01:00Z', nodes: { p: node } });
  await world.settle();
  return JSON.stringify([world.runs(), world.order(), world.client.requests]);
}

test('a password that was rotated while a step ran is in no status and no event: what the step says is withheld', async () => {
  await using world = await createWorld();
  const told = await failingWith(world, 'hunter2hunter2 is wrong', async () => {
    world.client.put(secrets, secret('creds', { password: 'another password' }));
    world.report(world.workflows()[0]?.metadata.name ?? '', {
      phase: 'Failed',
      finishedAt: '2026-01-01T00:01:00Z',
      nodes: { p: podNode('p-1', { displayName: 'push', phase: 'Failed', message: 'hunter2hunter2 is wrong' }) },
    });
  });
  assert.doesNotMatch(told, /hunter2hunter2/);
  assert.match(told, /Step 'push' failed; its output is withheld because a Secret it was given has changed/);
});

test('nor is one of a Secret that was deleted', async () => {
  await using world = await createWorld();
  const told = await failingWith(world, 'hunter2hunter2 is wrong', () => world.client.delete(secrets, { namespace, name: 'creds' }));
  assert.doesNotMatch(told, /hunter2hunter2/);
  assert.match(told, /withheld/);
});

test('a Secret that was only labelled hides nothing', async () => {
  await using world = await createWorld();
  const told = await failingWith(world, 'hunter2hunter2 is wrong', () =>
    world.client.patch(secrets, { namespace, name: 'creds' }, { metadata: { labels: { touched: 'yes' } } }),
  );
  assert.match(told, /\[redacted\] is wrong/);
});

test('Secrets that the template mounts by parameters are replaced, too', async () => {
  const client = createFakeClient();
  const digestKey = Buffer.alloc(16);
  const stored = secret('creds', { password: 'hunter2hunter2' });
  client.put(secrets, stored);
  const digest = recordedDigest(digestKey, { namespace, name: 'creds' }, secretDigest(digestKey, stored));
  const workflow = (annotations: Record<string, string>): Workflow => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Workflow',
    metadata: { namespace, name: 'w', annotations },
    spec: { arguments: { parameters: [{ name: sourceSecretParameter, value: 'creds' }] } },
    status: {
      storedWorkflowTemplateSpec: {
        volumes: [{ name: 'src', secret: { secretName: `{{workflow.parameters.${sourceSecretParameter}}}` } }],
      },
    },
  });
  for (const annotations of [{ [secretDigestsAnnotation]: `creds=${digest}` }, {}]) {
    const redact = await redactorFor({ client, digestKey }, workflow(annotations), signal);
    assert.ok(typeof redact === 'function');
    assert.equal(redact('hunter2hunter2 is wrong'), '[redacted] is wrong');
  }
  assert.equal(await redactorFor({ client, digestKey }, workflow({ [secretDigestsAnnotation]: 'creds=another' }), signal), 'changed');
});
