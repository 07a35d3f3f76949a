import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, silentLogger } from '@arc/kernel';
import { issuedClients } from './issued-clients.ts';
import { keepCertificates } from './keep-certificates.ts';

test('A4 certificates that are due are issued anew while the server runs; a failure is told and tried again', async () => {
  const clock = new FakeClock();
  const errors: string[] = [];
  const logger = { ...silentLogger, error: (text: string) => void errors.push(text) };
  const asked: number[] = [];
  let fails = false;
  const ensure = async (): Promise<void> => {
    asked.push(clock.now());
    if (fails) throw new Error('no space left');
  };
  {
    using _kept = await keepCertificates(ensure, { clock, logger });
    await clock.advance(3_600_000);
    assert.equal(asked.length, 2);
    fails = true;
    await clock.advance(3_600_000);
    assert.deepEqual(errors, ['certificates could not be renewed']);
    fails = false;
    await clock.advance(3_600_000);
    assert.equal(asked.length, 4);
  }
  await clock.advance(36_000_000);
  assert.equal(asked.length, 4, 'disposed');
  fails = true;
  await assert.rejects(keepCertificates(ensure, { clock, logger }), /no space left/);
});

test('A4 clients of the process present the certificate that was issued last', async () => {
  let issued = 0;
  let due = true;
  const last = new Map<string, { certPem: string; keyPem: string }>();
  const clients = issuedClients({
    client: async (name, { user }) => {
      const known = last.get(name);
      if (known !== undefined && !due) return known;
      const made = { certPem: `${user} ${++issued}`, keyPem: 'k' };
      last.set(name, made);
      return made;
    },
  });
  const engine = await clients.issue('engine', { user: 'system:engine', groups: [] });
  const admin = await clients.issue('admin', { user: 'admin', groups: ['system:masters'] });
  const [first] = [engine()];
  due = false;
  await clients.renew();
  assert.equal(engine(), first);
  due = true;
  await clients.renew();
  assert.deepEqual([engine().certPem, admin().certPem], ['system:engine 3', 'admin 4']);
});
