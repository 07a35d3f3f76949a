import { arcKinds, forceAtAnnotation } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import type { Secret } from '@arc/api/core';
import type { ResourceType } from '@arc/apimachinery';
import { FakeClock, silentLogger } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { frozenInformer } from '../../test/stale.ts';
import {
  artifactTypes,
  clusterArtifactTypes,
  clusterType,
  createWorld,
  endpoint,
  endpoints,
  namespace,
  namespacedType,
  order,
  orders,
  secret,
  secrets,
  supply,
} from '../../test/world.ts';
import type { World } from '../../test/world.ts';
import type { EndpointFindings, EndpointProbe, EndpointProbeTarget } from './probe.ts';
import { endpointReconciler } from './reconciler.ts';

const events: ResourceType = { group: 'events.k8s.io', version: 'v1', plural: 'events', kind: 'Event', namespaced: true };
const ttlMs = 600_000;

const open: EndpointFindings = {
  reachable: { status: 'True', reason: 'Reachable', message: 'it answers 200' },
  authenticated: { status: 'Unknown', reason: 'NoCredentials', message: 'it has no credentials' },
};
const away: EndpointFindings = {
  reachable: { status: 'False', reason: 'ConnectionRefused', message: 'it refuses connections' },
  authenticated: { status: 'Unknown', reason: 'ConnectionRefused', message: 'it could not be asked' },
};

/** Knows one password, and answers as a registry does. */
function byPassword(right: () => string): (target: EndpointProbeTarget) => EndpointFindings {
  return ({ credentials }) => ({
    reachable: { status: 'True', reason: 'Reachable', message: 'it answers 401' },
    authenticated:
      typeof credentials === 'object' && credentials.password === right()
        ? { status: 'True', reason: 'Authenticated', message: 'it accepts the credentials' }
        : { status: 'False', reason: 'Unauthorized', message: 'the credentials are refused with 401' },
  });
}

interface Probed {
  readonly at: number;
  readonly target: EndpointProbeTarget;
}

interface Scene extends AsyncDisposable {
  readonly world: World;
  readonly probed: Probed[];
  answer(next: (target: EndpointProbeTarget) => EndpointFindings | Promise<EndpointFindings>): void;
  endpoint(name?: string): Endpoint;
  /** `Type=Status/Reason` of each condition. */
  conditions(name?: string): string[];
  message(type: string, name?: string): string;
  told(): string[];
  statusWrites(): number;
}

async function scene(options: { readonly ttlMs?: number; readonly probes?: number; readonly off?: true } = {}): Promise<Scene> {
  const probed: Probed[] = [];
  let next: (target: EndpointProbeTarget) => EndpointFindings | Promise<EndpointFindings> = () => open;
  const probe: EndpointProbe = async (target) => {
    probed.push({ at: world.clock.now(), target });
    return await next(target);
  };
  const world = await createWorld(
    { maxActiveProbes: options.probes ?? 4 },
    { ...(options.off !== true && { endpointProbe: probe }), endpointProbeTtlMs: options.ttlMs ?? ttlMs },
  );
  world.apply(clusterArtifactTypes, clusterType());
  const one = (name = 'e'): Endpoint => {
    const found = world.client.peek<Endpoint>(endpoints, { namespace, name });
    assert.ok(found, `there is an Endpoint ${name}`);
    return found;
  };
  const conditionsOf = (name?: string): NonNullable<NonNullable<Endpoint['status']>['conditions']> => one(name).status?.conditions ?? [];
  return {
    world,
    probed,
    answer: (to) => void (next = to),
    endpoint: one,
    conditions: (name) => conditionsOf(name).map(({ type, status, reason }) => `${type}=${status}/${reason}`),
    message: (wanted, name) => conditionsOf(name).find(({ type }) => type === wanted)?.message ?? '',
    told: () =>
      world.client
        .peekAll(events)
        .toSorted((a, b) => (String(a['eventTime']) < String(b['eventTime']) ? -1 : 1))
        .map((event) => `${String(event['type'])} ${String(event['reason'])}: ${String(event['note'])}`),
    statusWrites: () =>
      world.client.requests.filter(
        ({ verb, type, subresource }) => verb === 'patch' && type?.plural === 'endpoints' && subresource === 'status',
      ).length,
    [Symbol.asyncDispose]: () => world[Symbol.asyncDispose](),
  };
}

test('an Endpoint that answers is ready, costs one write a probe, and nothing in between', async () => {
  await using on = await scene();
  on.world.apply(endpoints, endpoint('e'));
  await on.world.settle();
  assert.deepEqual(on.conditions(), [
    'Validated=True/Valid',
    'Reachable=True/Reachable',
    'Authenticated=Unknown/NoCredentials',
    'Ready=True/Valid',
  ]);
  const { status, metadata } = on.endpoint();
  assert.equal(status?.observedGeneration, metadata.generation);
  assert.deepEqual([...new Set(status?.conditions?.map(({ observedGeneration }) => observedGeneration))], [metadata.generation]);
  assert.deepEqual(on.told(), ['Normal Valid: endpoint is usable']);
  assert.equal(on.statusWrites(), 1);

  // Watches end and begin anew by themselves.
  const requests = (): number => on.world.client.requests.filter(({ verb }) => verb !== 'watch').length;
  const before = requests();
  await on.world.clock.advance(ttlMs - 5000);
  assert.equal(requests(), before, 'nobody asks anything while all is known');
  await on.world.clock.advance(ttlMs * 0.2 + 5000);
  assert.equal(on.probed.length, 2, 'a result is renewed before it is a fifth older than it may be');
  assert.equal(on.statusWrites(), 2);
  assert.deepEqual(on.endpoint().status?.conditions, status?.conditions, 'transitions keep their time');
  assert.equal(on.told().length, 1);
});

test('a missing Secret, a wrong password and a rotated one are told as they come, by event', async () => {
  await using on = await scene();
  let right = 'hunter3hunter3';
  on.answer(byPassword(() => right));
  on.world.apply(endpoints, endpoint('e', { secretRef: { name: 'creds' } }));
  await on.world.settle();
  assert.deepEqual(on.conditions(), ['Validated=False/SecretNotFound', 'Ready=False/SecretNotFound']);
  assert.match(on.message('Ready'), /^secret "creds" not found in namespace "team": create it there$/);
  assert.equal(on.probed.length, 0);

  on.world.apply(secrets, secret('creds', { username: 'u', password: 'hunter2hunter2\n' }));
  await on.world.settle();
  assert.deepEqual(
    on.probed.map(({ target }) => target.credentials),
    [{ username: 'u', password: 'hunter2hunter2' }],
  );
  assert.deepEqual(on.conditions().slice(2), ['Authenticated=False/Unauthorized', 'Ready=False/Unauthorized']);
  assert.match(on.message('Ready'), /refused with 401: put the right ones into secret "creds"/);

  on.world.apply(secrets, secret('creds', { username: 'u', password: 'hunter3hunter3' }));
  await on.world.settle();
  assert.deepEqual(on.conditions().slice(2), ['Authenticated=True/Authenticated', 'Ready=True/Valid']);
  right = 'hunter4hunter4';
  await on.world.clock.advance(ttlMs * 1.2);
  assert.equal(on.conditions().at(-1), 'Ready=False/Unauthorized');

  await on.world.client.delete(secrets, { namespace, name: 'creds' });
  await on.world.settle();
  assert.deepEqual(on.conditions(), ['Validated=False/SecretNotFound', 'Ready=False/SecretNotFound']);
  const { probedSecretVersion, lastProbeTime } = on.endpoint().status ?? {};
  assert.deepEqual([probedSecretVersion, lastProbeTime], [undefined, undefined], 'what was probed is not there any more');

  assert.deepEqual(
    on.told().map((line) => line.split(':')[0]),
    ['Warning SecretNotFound', 'Normal Valid', 'Warning Unauthorized'],
  );
  const written = on.world.client.requests.filter(
    ({ type, verb }) => type?.plural === 'secrets' && !['get', 'list', 'watch', 'delete'].includes(verb),
  );
  assert.deepEqual(written, [], 'Secrets of users are read, never written');
  const everything = JSON.stringify([
    on.world.client.peekAll(endpoints),
    on.world.client.peekAll(events),
    on.world.logs,
    on.world.client.requests,
  ]);
  assert.doesNotMatch(everything, /hunter\d|aHVudGVy/);
});

test('an Endpoint of a type nobody transfers is not probed until there is an artifact type for it', async () => {
  await using on = await scene();
  on.world.apply(clusterArtifactTypes, clusterType('oci', { rules: { srcTypes: ['oci'], dstTypes: ['oci', 's3'] } }));
  await on.world.settle();
  on.world.apply(endpoints, endpoint('e', { type: 's3', usage: 'PullOnly' }));
  await on.world.settle();
  assert.equal(on.conditions().at(-1), 'Ready=False/UnknownType');
  assert.match(on.message('Ready'), /transfers from Endpoints of type "s3"/);
  assert.equal(on.probed.length, 0);
  on.world.apply(artifactTypes, namespacedType('blob', { rules: { srcTypes: ['s3'] } }));
  await on.world.settle();
  assert.equal(on.conditions().at(-1), 'Ready=True/Valid');
  await on.world.client.delete(artifactTypes, { namespace, name: 'blob' });
  await on.world.settle();
  assert.equal(on.conditions().at(-1), 'Ready=False/UnknownType');
});

test('who does not answer is asked again after twice as long each time, also across restarts; the answer ends it', async () => {
  await using on = await scene();
  on.answer(() => away);
  on.world.apply(endpoints, endpoint('e'));
  await on.world.settle();
  assert.deepEqual(on.conditions().slice(1), [
    'Reachable=False/ConnectionRefused',
    'Authenticated=Unknown/ConnectionRefused',
    'Ready=False/ConnectionRefused',
  ]);
  assert.match(on.message('Ready'), /^it refuses connections: check host and port/);
  for (let hour = 0; hour < 2; hour++) {
    await on.world.clock.advance(1_800_000);
    await on.world.restart();
    await on.world.clock.advance(1_800_000);
  }
  const gaps = on.probed.slice(1).map(({ at }, index) => Math.round((at - (on.probed[index]?.at ?? 0)) / 1000));
  assert.ok((gaps[0] ?? 0) >= 15 && (gaps[0] ?? 0) <= 19, String(gaps));
  assert.ok(
    gaps.every((gap, index) => gap <= 721 && gap >= Math.min(600, (gaps[index - 1] ?? 0) - 1)),
    String(gaps),
  );
  assert.equal(gaps.at(-1), gaps.at(-2), 'the interval is the limit');
  assert.equal(on.told().length, 1, 'one event for one change');
  on.answer(() => open);
  await on.world.clock.advance(ttlMs * 1.2 + 1000);
  assert.equal(on.conditions().at(-1), 'Ready=True/Valid');
});

test('refused credentials are tried less and less often, at most every six hours or so', async () => {
  await using on = await scene();
  on.answer(byPassword(() => 'another'));
  on.world.apply(secrets, secret('creds', { username: 'u', password: 'p' }));
  on.world.apply(endpoints, endpoint('e', { secretRef: { name: 'creds' } }));
  await on.world.clock.advance(24 * 3_600_000);
  assert.ok(on.probed.length <= 10, `${on.probed.length} tries in a day`);
  assert.ok(on.probed.length >= 6, `${on.probed.length} tries in a day`);
});

test('without a TTL only changes are a reason to probe', async () => {
  await using on = await scene({ ttlMs: 0 });
  on.answer(() => away);
  on.world.apply(endpoints, endpoint('e'));
  await on.world.clock.advance(7 * 24 * 3_600_000);
  assert.equal(on.probed.length, 1);
  on.world.apply(endpoints, endpoint('e', { remoteURL: 'https://other.example.com' }));
  await on.world.settle();
  assert.equal(on.probed.length, 2);
  assert.equal(on.endpoint().status?.probedGeneration, 2);
  on.world.apply(endpoints, {
    ...endpoint('e', { remoteURL: 'https://other.example.com' }),
    metadata: { namespace, name: 'e', labels: { a: 'b' } },
  });
  await on.world.settle();
  assert.equal(on.probed.length, 2, 'a label is no reason');
});

test('force-at probes once for each value, at its time, and is recorded where there is nothing to probe', async () => {
  await using on = await scene();
  const start = Math.floor(on.world.clock.now() / 1000);
  const force = (seconds: number): void =>
    on.world.apply(endpoints, {
      ...endpoint('e'),
      metadata: { namespace, name: 'e', annotations: { [forceAtAnnotation]: String(seconds) } },
    });
  on.world.apply(endpoints, endpoint('e'));
  await on.world.settle();
  force(start);
  await on.world.settle();
  await on.world.settle();
  assert.equal(on.probed.length, 2);
  assert.equal(on.endpoint().status?.probedForceAt, '2026-01-01T00:00:00Z');
  force(start + 100);
  await on.world.settle();
  assert.equal(on.probed.length, 2);
  await on.world.clock.advance(100_000);
  assert.equal(on.probed.length, 3);
  await on.world.client.delete(clusterArtifactTypes, { name: 'oci' });
  force(start + 1);
  await on.world.settle();
  assert.deepEqual([on.endpoint().status?.probedForceAt, on.probed.length], ['2026-01-01T00:00:01Z', 3]);
});

test('a clock that is set back or forward costs one probe, not one each second and not all of them', async () => {
  await using on = await scene();
  on.world.apply(endpoints, endpoint('e'));
  await on.world.settle();
  for (const [jump, probes] of [
    [-86_400_000, 2],
    [86_400_000, 3],
  ] as const) {
    on.world.clock.jump(jump);
    await on.world.clock.advance(ttlMs * 1.2 + 1000);
    assert.equal(on.probed.length, probes, `${jump}`);
  }
});

test('an Endpoint is valid until its end, and again when that is moved', async () => {
  await using on = await scene();
  on.world.apply(endpoints, endpoint('e', { validUntil: '2026-01-02T00:00:00Z' }));
  await on.world.settle();
  assert.equal(on.conditions().at(-1), 'Ready=True/Valid');
  await on.world.clock.advance(Date.parse('2026-01-02T00:00:00Z') - on.world.clock.now());
  assert.deepEqual(on.conditions(), ['Validated=False/Expired', 'Ready=False/Expired']);
  assert.match(on.message('Ready'), /until 2026-01-02T00:00:00Z: set spec.validUntil to a later time/);
  const probes = on.probed.length;
  await on.world.clock.advance(24 * 3_600_000);
  assert.equal(on.probed.length, probes);
  on.world.apply(endpoints, endpoint('e', { validUntil: '2027-01-01T00:00:00Z' }));
  await on.world.settle();
  assert.equal(on.conditions().at(-1), 'Ready=True/Valid');
});

test('no Endpoint is probed twice at once, and no more than a few are; what changed meanwhile is probed afterwards', async () => {
  await using on = await scene({ probes: 2 });
  let active = 0;
  let most = 0;
  const busy = new Map<string, number>();
  on.answer(async ({ remoteURL }) => {
    const host = remoteURL.split('#')[0] ?? '';
    busy.set(host, (busy.get(host) ?? 0) + 1);
    assert.equal(busy.get(host), 1, `${host} is probed twice at once`);
    most = Math.max(most, (active += 1));
    await on.world.clock.sleep(3000);
    active -= 1;
    busy.delete(host);
    return open;
  });
  const names = ['a', 'b', 'c', 'd', 'e'];
  for (const name of names) on.world.apply(endpoints, endpoint(name));
  for (let round = 0; round < 20; round++) {
    await on.world.clock.advance(500);
    for (const name of names) on.world.apply(endpoints, endpoint(name, { remoteURL: `https://${name}.example.com#${round}` }));
  }
  await on.world.clock.advance(60_000);
  assert.equal(most, 2);
  for (const name of names) {
    const { metadata, status } = on.endpoint(name);
    assert.equal(status?.probedGeneration, metadata.generation, name);
    assert.equal(
      on.probed.findLast(({ target }) => target.remoteURL.startsWith(`https://${name}.`))?.target.remoteURL,
      `https://${name}.example.com#19`,
    );
  }
});

test('what cannot be probed, or is not to be, is neither ready nor unready, and no event', async () => {
  const unsupported = { status: 'Unknown', reason: 'UnsupportedScheme', message: 'only http' } as const;
  await using on = await scene();
  on.answer(() => ({ reachable: unsupported, authenticated: unsupported }));
  on.world.apply(endpoints, endpoint('e'));
  await on.world.settle();
  assert.equal(on.conditions().at(-1), 'Ready=Unknown/UnsupportedScheme');
  await using off = await scene({ off: true });
  off.world.apply(endpoints, endpoint('e'));
  off.world.apply(endpoints, endpoint('lost', { secretRef: { name: 'none' } }));
  await off.world.settle();
  assert.equal(off.conditions().at(-1), 'Ready=Unknown/ProbingDisabled');
  assert.equal(off.conditions('lost').at(-1), 'Ready=False/SecretNotFound');
  assert.deepEqual([on.told(), off.told().length], [[], 1]);
});

test('Orders do not wait for an Endpoint that is not reachable', async () => {
  await using on = await scene();
  on.answer(() => away);
  supply(on.world);
  await on.world.settle();
  assert.equal(on.conditions('src').at(-1), 'Ready=False/ConnectionRefused');
  on.world.apply(orders, order(['a']));
  await on.world.settle();
  assert.equal(on.world.workflows().length, 1);
});

test('an informer that has not seen our own write leads to no second probe, and one that shows another Endpoint does', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock, kinds: arcKinds });
  const { signal } = new AbortController();
  let probes = 0;
  const context = {
    client,
    clock,
    logger: silentLogger,
    events: { event: () => {} },
    probe: () => Promise.resolve(((probes += 1), open)),
    ttlMs,
    secrets: frozenInformer([]),
    artifactTypes: frozenInformer([]),
    clusterArtifactTypes: frozenInformer([clusterType()]),
  };
  const shown = [client.put(endpoints, endpoint('a')), client.put(endpoints, endpoint('b'))] as Endpoint[];
  const reconcile = endpointReconciler({ ...context, endpoints: frozenInformer(shown) });
  for (const name of ['a', 'a', 'b', 'a']) await reconcile({ namespace, name }, signal);
  assert.equal(probes, 2);
});

test('it is probed as spec.tls says, and again when the Secret of its client certificate changes', async () => {
  await using on = await scene();
  const tls = { ca: 'authority of the Endpoint', serverName: 'registry.internal', secretRef: { name: 'client' } };
  on.world.apply(secrets, secret('login', { username: 'u', password: 'p', 'ca.crt': 'that of the login', 'tls.crt': 'not used' }));
  on.world.apply(endpoints, endpoint('e', { secretRef: { name: 'login' }, tls }));
  await on.world.settle();
  assert.equal(on.conditions()[0], 'Validated=False/SecretNotFound');
  assert.match(on.message('Validated'), /secret "client" not found/);
  const client = (cert: string): Secret => secret('client', { 'tls.crt': cert, 'tls.key': 'a key' });
  on.world.apply(secrets, client('certificate'));
  await on.world.settle();
  assert.equal(on.conditions().at(-1), 'Ready=True/Valid');
  const { credentials, tls: used } = on.probed.at(-1)?.target ?? {};
  assert.deepEqual(
    [credentials, used],
    [
      { username: 'u', password: 'p' },
      { ca: 'authority of the Endpoint\nthat of the login', cert: 'certificate', key: 'a key', serverName: 'registry.internal' },
    ],
  );
  const count = on.probed.length;
  on.world.apply(secrets, client('another'));
  await on.world.settle();
  assert.deepEqual([on.probed.length, on.probed.at(-1)?.target.tls?.cert], [count + 1, 'another']);
  assert.match(on.endpoint().status?.probedSecretVersion ?? '', /^\d+,\d+$/);
});
