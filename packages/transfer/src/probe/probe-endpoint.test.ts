import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import assert from 'node:assert/strict';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { test } from 'node:test';
import { deniedAddresses } from './denied-addresses.ts';
import type { ProbeResult } from './finding.ts';
import { createEndpointProbe, type ProbeTarget } from './probe-endpoint.ts';
import { probedURL } from './probed-url.ts';

const authority = createAuthority({ commonName: 'test' });
const certificate = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
const credentials = { username: 'puller', password: 'hunter2hunter2' };
const expected = `Basic ${Buffer.from('puller:hunter2hunter2').toString('base64')}`;

interface Server extends AsyncDisposable {
  readonly host: string;
  readonly url: string;
  readonly seen: IncomingMessage[];
}

async function serve(answer: RequestListener, secure = true): Promise<Server> {
  const seen: IncomingMessage[] = [];
  const listener: RequestListener = (request, response) => {
    seen.push(request);
    answer(request, response);
  };
  const server = secure ? createServer({ cert: certificate.certPem, key: certificate.keyPem }, listener) : createHttpServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `${secure ? 'https' : 'http'}://${host}`,
    seen,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function status(code: number, headers: Record<string, string> = {}): RequestListener {
  return (_request, response) => response.writeHead(code, headers).end();
}

async function probe(target: Partial<ProbeTarget>, denyCIDRs: readonly string[] = []): Promise<ProbeResult> {
  const ask = createEndpointProbe({ ca: authority.certPem, denyCIDRs, timeoutMs: 2000 });
  return await ask({ remoteURL: '', type: 'oci', credentials: 'none', ...target }, new AbortController().signal);
}

const inShort = ({ reachable, authenticated }: ProbeResult): string[] => [
  `${reachable.status}/${reachable.reason}`,
  `${authenticated.status}/${authenticated.reason}`,
];

test('what answers is reachable; 404 and 5xx leave it open', async () => {
  for (const [code, reachable] of [
    [200, 'True/Reachable'],
    [302, 'True/Reachable'],
    [401, 'True/Reachable'],
    [404, 'Unknown/NotFound'],
    [503, 'Unknown/ServerError'],
  ] as const) {
    await using server = await serve(status(code, { location: 'https://127.0.0.1:1/' }));
    assert.deepEqual(inShort(await probe({ remoteURL: server.url })), [reachable, 'Unknown/NoCredentials'], String(code));
    assert.equal(server.seen.length, 1, 'redirects are not followed');
    assert.equal(server.seen[0]?.url, '/v2/');
  }
});

test('the first request is anonymous; credentials are tried only when they are asked for', async () => {
  const basic: RequestListener = ({ headers }, response) => response.writeHead(headers.authorization === expected ? 200 : 401).end();
  await using server = await serve(basic);
  assert.deepEqual(inShort(await probe({ remoteURL: server.url, credentials })), ['True/Reachable', 'True/Authenticated']);
  assert.deepEqual(
    server.seen.map(({ headers }) => headers.authorization),
    [undefined, expected],
  );
  const wrong = { username: 'puller', password: 'wrong' };
  assert.deepEqual(inShort(await probe({ remoteURL: server.url, credentials: wrong })), ['True/Reachable', 'False/Unauthorized']);
  assert.equal((await probe({ remoteURL: server.url, credentials: 'unsupported' })).authenticated.reason, 'UnsupportedAuthScheme');

  await using open = await serve(status(200));
  assert.equal((await probe({ remoteURL: open.url, credentials })).authenticated.reason, 'NotExercised');
  assert.equal(open.seen.length, 1);
});

test('credentials never travel over plain http, neither directly nor to a token service', async () => {
  await using plain = await serve(status(401), false);
  assert.equal((await probe({ remoteURL: plain.url, credentials })).authenticated.reason, 'Inconclusive');
  await using bearer = await serve(status(401, { 'www-authenticate': `Bearer realm="http://${plain.host}/token"` }));
  assert.equal((await probe({ remoteURL: bearer.url, credentials })).authenticated.reason, 'Inconclusive');
  await using foreign = await serve(status(401, { 'www-authenticate': 'Bearer realm="https://evil.example.com/token"' }));
  assert.equal((await probe({ remoteURL: foreign.url, credentials })).authenticated.reason, 'Inconclusive');
  assert.deepEqual(
    [...plain.seen, ...bearer.seen, ...foreign.seen].filter(({ headers }) => headers.authorization !== undefined),
    [],
  );
});

test('a token service is asked in one hop, with service and scope', async () => {
  const cases = [
    ['{"token":"t"}', 200, 'True/Authenticated'],
    ['{"access_token":"t"}', 200, 'True/Authenticated'],
    ['{}', 200, 'Unknown/Inconclusive'],
    ['', 403, 'False/Unauthorized'],
    ['', 302, 'Unknown/Inconclusive'],
  ] as const;
  for (const [body, code, verdict] of cases) {
    await using tokens = await serve((_request, response) => response.writeHead(code, { location: '/elsewhere' }).end(body));
    const challenge = `Bearer realm="https://${tokens.host}/token",service="s",scope="repository:a:pull"`;
    await using server = await serve(status(401, { 'www-authenticate': challenge }));
    assert.equal(inShort(await probe({ remoteURL: server.url, credentials }))[1], verdict);
    assert.deepEqual(
      tokens.seen.map(({ url }) => url),
      ['/token?service=s&scope=repository%3Aa%3Apull'],
    );
  }
});

test('denied addresses are not dialled, as literals, by name, or as a token service', async () => {
  await using server = await serve(status(200));
  const port = server.host.split(':')[1] ?? '';
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::ffff:127.0.0.1]:${port}`]) {
    const result = await probe({ remoteURL: host }, ['127.0.0.0/8', '::1/128']);
    assert.deepEqual(inShort(result), ['False/TargetDenied', 'Unknown/TargetDenied'], host);
  }
  assert.equal(server.seen.length, 0);
  const all = deniedAddresses();
  for (const address of ['127.0.0.1', '::1', '0.0.0.0', '::', '169.254.169.254', 'fe80::1', 'fd00:ec2::254', '::ffff:169.254.169.254']) {
    assert.equal(all.has(address), true, address);
  }
  for (const address of ['10.0.0.1', '192.168.1.1', '1.1.1.1', '2606:4700::1111']) assert.equal(all.has(address), false, address);
  assert.throws(() => deniedAddresses(['10.0.0.0']), /is not a network/);
});

test('failures are told apart in words of ours', async () => {
  await using silent = await serve(() => {}, false);
  assert.equal((await probe({ remoteURL: silent.url })).reachable.reason, 'Timeout');
  await using plain = await serve(status(200), false);
  assert.equal((await probe({ remoteURL: `https://${plain.host}` })).reachable.reason, 'TLSError');
  assert.equal((await probe({ remoteURL: 'http://127.0.0.1:1' })).reachable.reason, 'ConnectionRefused');
  assert.equal((await probe({ remoteURL: 'nothing.invalid' })).reachable.reason, 'DNSFailure');
  assert.equal((await probe({ remoteURL: 's3://bucket' })).reachable.reason, 'UnsupportedScheme');
  const unTrusted = createEndpointProbe({ denyCIDRs: [] });
  await using secure = await serve(status(200));
  const result = await unTrusted({ remoteURL: secure.url, type: 'oci', credentials }, new AbortController().signal);
  assert.equal(result.reachable.reason, 'TLSError');
});

test('an Endpoint is asked as the worker would speak to it', () => {
  for (const [remoteURL, type, expected] of [
    ['registry.example.org', 'oci', 'https://registry.example.org/v2/'],
    ['https://registry.example.org/mirror', 'oci', 'https://registry.example.org/v2/'],
    ['oci://registry.example.org/charts', 'helm', 'https://registry.example.org/v2/'],
    ['docker.io', 'oci', 'https://registry-1.docker.io/v2/'],
    ['127.0.0.1:5000', 'oci', 'http://127.0.0.1:5000/v2/'],
    ['https://charts.example.org/stable', 'helm', 'https://charts.example.org/stable'],
    ['https://user:word@files.example.org/a', 'http', 'https://files.example.org/a'],
    ['localhost:8080/files', 'http', 'http://localhost:8080/files'],
    ['/srv/layouts', 'oci', undefined],
    ['oci-layout:///srv/layouts', 'oci', undefined],
    ['file:///srv/files', 'http', undefined],
    ['s3://bucket', 's3', undefined],
  ] as const) {
    assert.equal(probedURL(remoteURL, type)?.href, expected, remoteURL);
  }
});

test('an address that no transfer could use is said to be one, without what it holds', async () => {
  const { reachable } = await probe({ remoteURL: 'https://puller:hunter2hunter2@registry.example.org' });
  assert.deepEqual([reachable.status, reachable.reason], ['False', 'InvalidURL']);
  assert.equal(reachable.message.includes('hunter2hunter2'), false);
});

test('an authority and a certificate of the Endpoint itself are used, and nonsense in their place is told apart', async () => {
  const clients = createAuthority({ commonName: 'clients' });
  const mine = issueClientCertificate(clients, { user: 'puller', groups: [] });
  const seen: string[] = [];
  await using server = createServer(
    { cert: certificate.certPem, key: certificate.keyPem, ca: clients.certPem, requestCert: true },
    (request, response) => {
      seen.push(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN));
      response.end();
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const remoteURL = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = createEndpointProbe({ denyCIDRs: [] });
  const { signal } = new AbortController();
  const probeWith = (tls: NonNullable<ProbeTarget['tls']>): Promise<ProbeResult> =>
    ask({ remoteURL, type: 'oci', credentials: 'none', tls }, signal);
  const known = await probeWith({ ca: authority.certPem, cert: mine.certPem, key: mine.keyPem });
  assert.equal(known.reachable.reason, 'Reachable');
  assert.deepEqual(seen, ['puller']);
  assert.equal((await probeWith({ ca: authority.certPem, cert: 'nonsense', key: 'nonsense' })).reachable.reason, 'TLSError');
  assert.equal((await probeWith({})).reachable.reason, 'TLSError');
  const named = { ca: authority.certPem, cert: mine.certPem, key: mine.keyPem };
  assert.equal((await probeWith({ ...named, serverName: 'localhost' })).reachable.reason, 'Reachable');
  assert.equal((await probeWith({ ...named, serverName: 'other.example' })).reachable.reason, 'TLSError');
});
