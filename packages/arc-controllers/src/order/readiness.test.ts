import type { Endpoint } from '@arc/api/arc';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EndpointFindings, EndpointProbe } from '../endpoint/probe.ts';
import { createWorld, creations, endpoint, endpoints, order, orders, runAll, supply, workflows } from '../../test/world.ts';
import type { World } from '../../test/world.ts';

const refused: EndpointFindings = {
  reachable: { status: 'True', reason: 'Reachable', message: 'it answers 401' },
  authenticated: { status: 'False', reason: 'Unauthorized', message: 'the credentials are refused with 401' },
};
const fine: EndpointFindings = {
  reachable: { status: 'True', reason: 'Reachable', message: 'it answers 200' },
  authenticated: { status: 'Unknown', reason: 'NoCredentials', message: 'it has no credentials' },
};

/** A world whose Endpoint `dst` is as `state` says; what is asked again is told by force-at. */
async function worldWith(state: { findings: EndpointFindings }): Promise<World> {
  const endpointProbe: EndpointProbe = async ({ remoteURL }) => (remoteURL.includes('//dst') ? state.findings : fine);
  const world = await createWorld({}, { endpointProbe, endpointProbeTtlMs: 0 });
  supply(world);
  world.apply(endpoints, endpoint('dst', { contacts: [{ name: 'Jo', email: 'jo@example.com' }] }));
  return world;
}

let probes = 1_767_225_600;
function probeAgain(world: World): void {
  probes += 1;
  const metadata = { ...endpoint('dst').metadata, annotations: { 'arc.opendefense.cloud/force-at': String(probes - 1_000_000) } };
  const { spec, apiVersion, kind } = world.client.peek<Endpoint>(endpoints, { namespace: 'team', name: 'dst' }) ?? endpoint('dst');
  world.apply(endpoints, { apiVersion, kind, metadata, ...(spec !== undefined && { spec }) });
}

function readiness(world: World): string | undefined {
  const condition = world.order().status?.conditions?.find(({ type }) => type === 'EndpointsReady');
  return condition === undefined ? undefined : `${condition.status} ${condition.reason}: ${condition.message}`;
}

const told =
  'Endpoint "dst" is not ready: the credentials are refused with 401: put the right ones into secret ""; ask Jo <jo@example.com>';

test('an Order says why an Endpoint it uses is not ready, and whom to ask, and its run starts all the same', async () => {
  const state = { findings: refused };
  await using world = await worldWith(state);
  world.apply(orders, order(['a']));
  await world.settle();
  assert.equal(readiness(world), `False Unauthorized: ${told}`);
  assert.equal(world.order().status?.message, `0 of 1 artifacts transferred; ${told}`);
  assert.equal(creations(world, workflows).length, 1);

  await runAll(world);
  assert.equal(world.order().status?.phase, 'Succeeded');
  assert.equal(readiness(world), undefined, 'of what has been delivered it is no news');
  assert.equal(world.order().status?.message, '1 of 1 artifacts transferred');
});

test('readiness that comes and goes is shown, runs nothing again, and costs what has been delivered nothing', async () => {
  const state = { findings: fine };
  await using world = await worldWith(state);
  world.apply(orders, order(['a']));
  world.apply(orders, order(['b'], { name: 'failing' }));
  await runAll(world, ({ spec }) => {
    const failed = spec.arguments?.parameters?.some(({ value }) => value === 'b') === true;
    return { phase: failed ? 'Failed' : 'Succeeded', finishedAt: '2026-01-01T00:10:00Z' };
  });
  const made = creations(world, workflows).length;
  const version = world.order().metadata.resourceVersion;
  for (const findings of [refused, fine, refused]) {
    state.findings = findings;
    probeAgain(world);
    await world.settle();
    const condition = world.order('failing').status?.conditions?.find(({ type }) => type === 'EndpointsReady');
    assert.equal(condition?.status, findings === fine ? 'True' : 'False');
  }
  assert.equal(creations(world, workflows).length, made);
  assert.equal(world.order().metadata.resourceVersion, version);
});

test('a Secret that is missing is said once: by the artifact that waits for it', async () => {
  await using world = await worldWith({ findings: fine });
  world.apply(endpoints, endpoint('dst', { secretRef: { name: 'creds' } }));
  await world.settle();
  world.apply(orders, order(['a']));
  await world.settle();
  assert.match(readiness(world) ?? '', /^False SecretNotFound: Endpoint "dst" is not ready: secret "creds" not found/);
  assert.equal(world.order().status?.message?.match(/creds/g)?.length, 1, world.order().status?.message);
});
