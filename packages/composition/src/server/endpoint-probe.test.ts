import { systemClock } from '@arc/kernel';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { deniedBeside, endpointProbe } from './endpoint-probe.ts';

test('loopback is probed by a server that only this machine reaches; metadata services never are', () => {
  for (const host of ['127.0.0.1', '::1', 'localhost', '127.3.2.1']) {
    assert.equal(deniedBeside(host).includes('127.0.0.0/8'), false, host);
    assert.equal(deniedBeside(host).includes('169.254.0.0/16'), true, host);
  }
  for (const host of ['0.0.0.0', '::', '192.0.2.1', 'arc.example.org'])
    assert.equal(deniedBeside(host).includes('127.0.0.0/8'), true, host);
});

test('networks that are none are refused at the start', () => {
  assert.throws(() => endpointProbe({ probeDenyCIDRs: ['10.0.0.0'] }, '127.0.0.1', systemClock), { code: 'InvalidConfiguration' });
  assert.equal(endpointProbe({ endpointProbes: false, probeDenyCIDRs: ['10.0.0.0'] }, '127.0.0.1', systemClock), undefined);
  assert.notEqual(endpointProbe({ probeDenyCIDRs: [] }, '127.0.0.1', systemClock), undefined);
});
