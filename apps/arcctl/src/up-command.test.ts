import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultDataDirectory } from './default-data-directory.ts';
import { upOptionsFrom } from './up-command.ts';

const { signal } = new AbortController();

test('up takes what is given and fills in the rest', () => {
  assert.deepEqual(upOptionsFrom({ options: {}, environment: { HOME: '/home/u' }, signal }), {
    dataDir: '/home/u/.local/share/arc',
    listen: '127.0.0.1:6443',
    logLevel: 'warn',
    minimumCronInterval: 600_000,
    signal,
  });
  const options = { dataDir: 'd', listen: ':0', kubeconfig: 'k', storage: 'memory:', storageReadUrl: 'postgres://r', logLevel: 'debug' };
  assert.deepEqual(upOptionsFrom({ options, environment: {}, signal }), { ...options, minimumCronInterval: 600_000, signal });
});

test('how Endpoints are probed is up to three options', () => {
  const probes = (options: Readonly<Record<string, string>>): readonly unknown[] => {
    const { endpointProbes, endpointProbeTtlMs, probeDenyCIDRs } = upOptionsFrom({ options, environment: {}, signal });
    return [endpointProbes, endpointProbeTtlMs, probeDenyCIDRs];
  };
  assert.deepEqual(probes({}), [undefined, undefined, undefined]);
  assert.deepEqual(probes({ endpointProbes: 'off', endpointProbeTtl: '1h30m', probeDenyCidrs: '10.0.0.0/8, fe80::/10' }), [
    false,
    5_400_000,
    ['10.0.0.0/8', 'fe80::/10'],
  ]);
  assert.deepEqual(probes({ endpointProbes: 'on', endpointProbeTtl: '0', probeDenyCidrs: '' }), [undefined, 0, []]);
  for (const ttl of ['soon', '-1m', '10ms']) assert.throws(() => probes({ endpointProbeTtl: ttl }), { code: 'Usage' });
});

test('a log level that does not exist is a usage error', () => {
  assert.throws(() => upOptionsFrom({ options: { logLevel: 'loud' }, environment: {}, signal }), { code: 'Usage' });
});

test('the shortest interval of schedules is a duration', () => {
  const upWith = (cronMinScheduleInterval: string): number =>
    upOptionsFrom({ options: { cronMinScheduleInterval }, environment: {}, signal }).minimumCronInterval;
  assert.deepEqual(['90s', '1h', '0'].map(upWith), [90_000, 3_600_000, 0]);
  for (const wrong of ['soon', '-1m']) assert.throws(() => upWith(wrong), { code: 'Usage', message: /--cron-min-schedule-interval/ });
});

test('the data directory follows ARC_DATA_DIR, then XDG_DATA_HOME, then the home directory', () => {
  assert.equal(defaultDataDirectory({ ARC_DATA_DIR: '/a', XDG_DATA_HOME: '/x', HOME: '/h' }), '/a');
  assert.equal(defaultDataDirectory({ XDG_DATA_HOME: '/x', HOME: '/h' }), '/x/arc');
  assert.equal(defaultDataDirectory({ HOME: '/h' }), '/h/.local/share/arc');
});
