import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { test } from 'node:test';
import { secrets, type Secret } from '@arc/api/core';
import { failure, type UnstructuredObject } from '@arc/apimachinery';
import { FakeClock, silentLogger } from '@arc/kernel';
import { createFakeClient, type FakeClient } from '@arc/kube-client/fake';
import { apiServices, keepServingCertificate, type KeptServingCertificate } from './keep-serving-certificate.ts';

const ref = { namespace: 'arc-system', name: 'arc-apiserver-serving' };
const apiService = 'v1alpha1.arc.opendefense.cloud';

function aService(): UnstructuredObject {
  return {
    apiVersion: 'apiregistration.k8s.io/v1',
    kind: 'APIService',
    metadata: { name: apiService },
    spec: { group: 'arc.opendefense.cloud' },
  };
}

function keep(client: FakeClient, clock: FakeClock): KeptServingCertificate {
  return keepServingCertificate(client, {
    ...{ secret: ref, names: ['arc-apiserver.arc-system.svc'], apiServices: [apiService], clock, logger: silentLogger },
  });
}

/** Lets the fake clock run until what is asked for is there. */
async function until<T>(clock: FakeClock, look: () => T | undefined): Promise<T> {
  for (let turn = 0; turn < 200; turn++) {
    const found = look();
    if (found !== undefined) return found;
    await new Promise((resolve) => setImmediate(resolve));
    if (turn % 10 === 9) await clock.advance(2_000);
  }
  throw new Error('it did not come');
}

const bundleOf = (client: FakeClient): string | undefined => {
  const spec = client.peek(apiServices, { name: apiService })?.['spec'] as { caBundle?: string } | undefined;
  return spec?.caBundle === undefined ? undefined : Buffer.from(spec.caBundle, 'base64').toString();
};

test('replicas agree on one certificate that the aggregation layer trusts', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock, objects: [[apiServices, aService()]] });
  await using first = keep(client, clock);
  await using second = keep(client, clock);
  const [one, two] = [await until(clock, first.current), await until(clock, second.current)];
  assert.deepEqual(one, two);
  const bundle = await until(clock, () => bundleOf(client));
  assert.ok(new X509Certificate(one.cert).verify(new X509Certificate(bundle).publicKey));
  await until(clock, () => (isReady(first) && isReady(second) ? true : undefined));
  const secret = client.peek<Secret>(secrets, ref);
  assert.equal(secret?.type, 'kubernetes.io/tls');
});

test('a certificate is renewed under running replicas, which all take it over', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock, objects: [[apiServices, aService()]] });
  await using first = keep(client, clock);
  await using second = keep(client, clock);
  const before = await until(clock, first.current);
  await until(clock, second.current);
  const heard: unknown[] = [];
  using _listening = second.onChange((tls) => heard.push(tls.cert));
  clock.jump(300 * 86_400_000);
  const after = await until(clock, () => (first.current()?.cert === before.cert ? undefined : first.current()));
  await until(clock, () => (second.current()?.cert === after.cert ? true : undefined));
  assert.deepEqual(heard.at(-1), after.cert);
});

test('what is missing is said, and it begins when that is mended', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const refusal = client.onRequest(({ type }) => {
    if (type === secrets) throw failure(403, 'Forbidden', 'secrets "arc-apiserver-serving" is forbidden');
  });
  await using kept = keep(client, clock);
  await until(clock, () => (problemOf(kept)?.includes('is forbidden') === true ? true : undefined));
  assert.equal(kept.current(), undefined);
  refusal[Symbol.dispose]();
  await until(clock, kept.current);
  await until(clock, () => (problemOf(kept)?.includes(apiService) === true ? true : undefined));
  client.put(apiServices, aService());
  await until(clock, () => (isReady(kept) ? true : undefined));
});

function problemOf(kept: KeptServingCertificate): string | undefined {
  try {
    void kept.readyCheck.check(AbortSignal.timeout(1000));
    return undefined;
  } catch (error) {
    return String(error);
  }
}

const isReady = (kept: KeptServingCertificate): boolean => problemOf(kept) === undefined;
