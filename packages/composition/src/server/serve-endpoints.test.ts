import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request } from 'node:https';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { FakeClock, http, silentLogger } from '@arc/kernel';
import type { KubeObject } from '@arc/apimachinery';
import { createFakeClient } from '@arc/kube-client/fake';
import { reviewedAccess } from './reviewed-access.ts';
import { serveEndpoints } from './serve-endpoints.ts';
import type { Endpoints } from './serve-endpoints.ts';
import { servingCertificate } from './serving-certificate.ts';

const listen = { host: '127.0.0.1', port: 0 };

async function get(server: Endpoints, path: string, { ca, ...headers }: { ca?: string; authorization?: string } = {}): Promise<string> {
  const target = { host: '127.0.0.1', port: server.port, path, headers, agent: false } as const;
  const outgoing = (ca === undefined ? http.request(target) : request({ ...target, ca, servername: 'localhost' })).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return `${response.statusCode} ${await text(response)}`;
}

test('readyz says what is wrong, each check by name too, while healthz and livez only say that the process answers', async () => {
  let problem: string | undefined = 'no Argo here, install it';
  const probes = [
    { name: 'ping', problem: () => undefined },
    { name: 'requirements', problem: () => problem },
  ];
  await using server = await serveEndpoints({ listen, probes, logger: silentLogger });
  assert.equal(await get(server, '/readyz'), '500 [+]ping ok\n[-]requirements failed: no Argo here, install it\nreadyz check failed\n');
  assert.equal(await get(server, '/readyz/ping'), '200 ok');
  assert.match(await get(server, '/readyz/requirements'), /^500 /);
  assert.deepEqual([await get(server, '/livez'), await get(server, '/healthz')], ['200 ok', '200 ok']);
  problem = undefined;
  assert.deepEqual(
    [await get(server, '/readyz'), await get(server, '/readyz?verbose')],
    ['200 ok', '200 [+]ping ok\n[+]requirements ok\nreadyz check passed\n'],
  );
  assert.match(await get(server, '/readyz/nothing'), /^404 /);
  assert.match(await get(server, '/metrics'), /^404 /);
  await assert.rejects(serveEndpoints({ listen: { ...listen, port: server.port }, logger: silentLogger }), { code: 'AddressInUse' });
});

test('metrics over TLS are shown to whom the API server allows it, who is asked about once in ten seconds', async () => {
  const clock = new FakeClock();
  const client = createFakeClient({ clock });
  const asked: string[] = [];
  const access = reviewedAccess(
    {
      ...client,
      create: <T extends KubeObject>(type: { readonly kind: string }, object: T) => {
        const { spec } = object as unknown as { spec: { token?: string; user?: string } };
        asked.push(`${type.kind} ${spec.token ?? spec.user}`);
        const status =
          type.kind === 'TokenReview'
            ? { authenticated: spec.token !== 'unknown', user: { username: `user-of-${spec.token}`, groups: [] } }
            : { allowed: spec.user === 'user-of-prometheus' };
        return Promise.resolve({ ...object, status });
      },
    },
    clock,
  );
  using certificate = await servingCertificate({ certFile: undefined, keyFile: undefined }, { clock, logger: silentLogger });
  const ca = certificate.current().cert;
  await using server = await serveEndpoints({ listen, tls: certificate, metrics: () => 'up 1\n', access, logger: silentLogger });
  const as = (token: string): Promise<string> => get(server, '/metrics', { ca, authorization: `Bearer ${token}` });
  assert.equal(await get(server, '/metrics', { ca }), '401 Unauthorized\n');
  assert.deepEqual(asked, []);
  assert.equal(await as('prometheus'), '200 up 1\n');
  assert.equal(await as('prometheus'), '200 up 1\n');
  assert.deepEqual(asked, ['TokenReview prometheus', 'SubjectAccessReview user-of-prometheus']);
  assert.equal(await as('somebody'), '403 Forbidden\n');
  assert.equal(await as('unknown'), '401 Unauthorized\n');
  await clock.advance(10_000);
  asked.length = 0;
  assert.equal(await as('prometheus'), '200 up 1\n');
  assert.equal(asked.length, 2);
});
