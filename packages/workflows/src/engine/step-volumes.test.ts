import { argoKinds } from '@arc/api/argo';
import type { Volume } from '@arc/api/argo';
import { coreKinds, secrets } from '@arc/api/core';
import { FakeClock } from '@arc/kernel';
import { createFakeClient } from '@arc/kube-client/fake';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { References } from './references.ts';
import { stepVolumes } from './step-volumes.ts';

async function filesOf(volume: Volume): Promise<Record<string, string>> {
  const client = createFakeClient({ clock: new FakeClock(), kinds: [...coreKinds, ...argoKinds] });
  for (const [name, values] of Object.entries({
    login: { username: 'puller', 'ca.crt': 'that of the login' },
    client: { 'tls.crt': 'certificate', 'ca.crt': 'that of the client' },
  })) {
    const data = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
    client.put(secrets, { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'ns', name }, data } as never);
  }
  const references = new References(client, 'ns', new AbortController().signal);
  const { v } = await stepVolumes(new Set(['v']), { volumes: [volume], claims: [] }, references);
  assert.ok(v?.kind === 'files');
  return Object.fromEntries(v.files.map(({ path, content, mode }) => [path, `${mode.toString(8)} ${content.toString()}`]));
}

const projected = (...sources: NonNullable<Volume['projected']>['sources']): Volume => ({ name: 'v', projected: { sources } });

test('a projected volume has the files of all its sources, of two with one name the last, for the owner alone', async () => {
  assert.deepEqual(await filesOf(projected({ secret: { name: 'login' } }, { secret: { name: 'client' } })), {
    username: '400 puller',
    'ca.crt': '400 that of the client',
    'tls.crt': '400 certificate',
  });
});

test('a source that does not exist is waited for, unless it is optional', async () => {
  await assert.rejects(filesOf(projected({ secret: { name: 'login' } }, { secret: { name: 'none' } })), { code: 'MissingReference' });
  const optional = projected(
    { secret: { name: 'client', items: [{ key: 'tls.crt', path: 'c' }] } },
    { secret: { name: 'none', optional: true } },
  );
  assert.deepEqual(await filesOf(optional), { c: '400 certificate' });
});
