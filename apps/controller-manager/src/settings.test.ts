import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryStreams } from '@arc/cli-kit';
import { runProgram } from '@arc/composition/program';
import type { OptionValues } from '@arc/composition/program';
import { systemClock } from '@arc/kernel';
import { program } from './program.ts';
import { settingsOf } from './settings.ts';
import type { Settings } from './settings.ts';

/** What a command line comes to. */
async function settingsFor(...argv: readonly string[]): Promise<Settings> {
  let options: OptionValues = {};
  const { signal } = new AbortController();
  const streams = memoryStreams();
  const code = await runProgram(
    { ...program, load: () => Promise.resolve(async (invocation) => void (options = invocation.options)) },
    argv,
    { streams, environment: {}, clock: systemClock, signal },
  );
  assert.equal(code, 0);
  return settingsOf(options);
}

test('without a word it elects a leader, and serves health over HTTP and metrics over TLS to whom the API server knows', async () => {
  const { leaderElect, leaseName, health, metrics, limits, logLevel, namespace } = await settingsFor();
  assert.deepEqual([leaderElect, leaseName, namespace, logLevel], [true, 'arc.opendefense.cloud', undefined, 'info']);
  assert.deepEqual(health, { host: '0.0.0.0', port: 8081 });
  assert.deepEqual(metrics, {
    listen: { host: '0.0.0.0', port: 8443 },
    secure: true,
    certFile: undefined,
    keyFile: undefined,
    reviewed: true,
  });
  assert.deepEqual(limits, { maxActiveWorkflows: 100 });
});

test('flags mean what they mean to upstream, with and without a value', async () => {
  assert.equal((await settingsFor('--leader-elect')).leaderElect, true);
  assert.equal((await settingsFor('--leader-elect=false')).leaderElect, false);
  const off = await settingsFor('--metrics-bind-address', '0', '--health-probe-bind-address=0');
  assert.deepEqual([off.metrics, off.health], [undefined, undefined]);
  const plain = await settingsFor('--metrics-secure=false', '--metrics-bind-address', '127.0.0.1:9090');
  assert.deepEqual(
    [plain.metrics?.secure, plain.metrics?.reviewed, plain.metrics?.listen],
    [false, false, { host: '127.0.0.1', port: 9090 }],
  );
  const { metrics } = await settingsFor('--metrics-cert-path', '/certs', '--metrics-cert-key=k.pem', '--metrics-access=open');
  assert.deepEqual([metrics?.certFile, metrics?.keyFile, metrics?.reviewed], ['/certs/tls.crt', '/certs/k.pem', false]);
  const limited = await settingsFor('--max-active-workflows=7', '--max-active-per-namespace', '3', '--max-active-per-endpoint', '2');
  assert.deepEqual(limited.limits, { maxActiveWorkflows: 7, maxActivePerNamespace: 3, maxActivePerEndpoint: 2 });
});

test('how Workflows are handed over is as they come, unless flags say otherwise', async () => {
  assert.deepEqual((await settingsFor()).handOver, { volumesFrom: 'workflow', onVanished: 'recreate' });
  const flags = ['--argo-instance-id=a', '--workflow-service-account', 's', '--workflow-volumes=template', '--vanished-workflows=fail'];
  const told = { instanceId: 'a', serviceAccountName: 's', volumesFrom: 'template', onVanished: 'fail' };
  assert.deepEqual((await settingsFor(...flags)).handOver, told);
  assert.deepEqual([(await settingsFor()).kueue, (await settingsFor('--kueue=workloads')).kueue], ['pods', 'workloads']);
});

test('what contradicts itself or is no number is wrong usage', async () => {
  for (const argv of [
    ['--metrics-secure=false', '--metrics-access=review'],
    ['--max-active-workflows=0'],
    ['--max-active-per-namespace', 'many'],
    ['--endpoint-probe-ttl', '1ms'],
  ]) {
    await assert.rejects(settingsFor(...argv), { code: 'Usage' }, argv.join(' '));
  }
  await assert.rejects(settingsFor('--health-probe-bind-address', 'nowhere'), { code: 'InvalidListenAddress' });
});

test('a wrong command line is told as text with what to do, and --help lists every flag', async () => {
  const { signal } = new AbortController();
  const wrong = memoryStreams();
  assert.equal(await runProgram(program, ['--leader-elct'], { streams: wrong, environment: {}, clock: systemClock, signal }), 2);
  assert.match(wrong.stderr.text, /^error\[Usage\]: unknown option '--leader-elct'\nhint: Did you mean --leader-elect\?/);
  const help = memoryStreams();
  assert.equal(await runProgram(program, ['--help'], { streams: help, environment: {}, clock: systemClock, signal }), 0);
  for (const { flags } of program.options) assert.ok(help.stdout.text.includes(flags), flags);
});
