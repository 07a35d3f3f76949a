import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { FakeClock, type LogFields, silentLogger } from '@arc/kernel';
import * as pki from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { createApiServer } from '../api-server.ts';
import { testKinds } from '../testing/kinds.ts';
import { testClient } from '../testing/test-client.ts';
import { followTlsFiles } from './follow-tls-files.ts';

interface Folder extends AsyncDisposable {
  readonly pair: { readonly certFile: string; readonly keyFile: string };
  readonly clientCaFile: string;
  write(pair: pki.CertificateAndKey): Promise<void>;
}

async function folder(): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), 'tls-'));
  const pair = { certFile: join(path, 'tls.crt'), keyFile: join(path, 'tls.key') };
  return {
    pair,
    clientCaFile: join(path, 'ca.crt'),
    write: async ({ certPem, keyPem }) => {
      await writeFile(pair.keyFile, keyPem);
      await writeFile(pair.certFile, certPem);
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  };
}

const authority = pki.createAuthority({ commonName: 'one' });
const other = pki.createAuthority({ commonName: 'two' });
const issue = () => pki.issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
const adminOf = (signer: pki.CertificateAndKey) => pki.issueClientCertificate(signer, { user: 'admin', groups: ['system:masters'] });

function recorded() {
  const lines: string[] = [];
  const add = (text: string, fields?: LogFields): void => void lines.push(`${text}: ${String(fields?.['reason'] ?? '')}`);
  return { lines, logger: { ...silentLogger, error: add } };
}

/** What a server shows to a new connection. */
async function shown(port: number): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port, ca: [authority.certPem] });
  await once(socket, 'secureConnect');
  const pem = socket.getPeerX509Certificate()?.toString() ?? '';
  socket.destroy();
  return pem;
}

test('A4 new serving certificates are used by new connections, open ones stay; what is broken changes nothing', async () => {
  await using files = await folder();
  const first = issue();
  await files.write(first);
  await writeFile(files.clientCaFile, authority.certPem);
  const { lines, logger } = recorded();
  using tls = await followTlsFiles({ ...files.pair, clientCaFile: files.clientCaFile }, { clock: new FakeClock(), logger });
  await using store = createMemoryStore();
  await using api = await createApiServer({ kinds: testKinds, store, tls });
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  await api.ready;
  const { certPem: cert, keyPem: key } = adminOf(authority);
  const open = connectHttp2(`https://127.0.0.1:${port}`, { ca: authority.certPem, cert, key });
  using _closing = { [Symbol.dispose]: () => open.destroy() };
  const askOpen = async (): Promise<number | undefined> => {
    const stream = open.request({ ':path': '/api' });
    const [headers] = (await once(stream, 'response')) as [Record<string, number>];
    stream.resume();
    return headers[':status'];
  };
  assert.equal(await askOpen(), 200);
  assert.equal(await shown(port), first.certPem);

  const second = issue();
  await writeFile(files.pair.certFile, second.certPem);
  await tls.check();
  await tls.check();
  assert.equal(await shown(port), first.certPem, 'the key of the one, the certificate of the other');
  assert.equal(lines.length, 1, 'said once');
  assert.match(lines[0] ?? '', /^serving certificate: cannot be used.*does not belong to the certificate|mismatch/);
  await writeFile(files.pair.keyFile, second.keyPem);
  await tls.check();
  assert.equal(await shown(port), second.certPem);
  assert.equal(await askOpen(), 200);

  for (const broken of ['', 'nonsense', second.certPem.slice(0, 200)]) {
    await writeFile(files.pair.certFile, broken);
    await tls.check();
    assert.equal(await shown(port), second.certPem);
  }
  await rm(files.pair.certFile);
  await tls.check();
  assert.match(lines.at(-1) ?? '', /ENOENT/);
  assert.equal(await shown(port), second.certPem);

  await writeFile(files.pair.certFile, second.certPem);
  await writeFile(files.clientCaFile, other.certPem);
  await tls.check();
  assert.equal(await askOpen(), 401, 'an authority that is gone counts no more, on open connections, too');
  const stranger = adminOf(other);
  using client = testClient({ port, ca: authority.certPem, cert: stranger.certPem, key: stranger.keyPem });
  assert.equal((await client.get('/api')).code, 200, 'the new authority counts at once');
});

test('A4 changes are told by the file system, also those of a mounted Secret, and found within a minute where it does not', async () => {
  await using files = await folder();
  await files.write(issue());
  const changed = async (tls: { onChange(listener: () => void): Disposable }, change: () => Promise<void>): Promise<void> => {
    const told = Promise.withResolvers<void>();
    using _listening = tls.onChange(() => told.resolve());
    await change();
    await told.promise;
  };
  {
    using tls = await followTlsFiles(files.pair);
    const next = issue();
    await changed(tls, () => files.write(next));
    assert.equal(tls.current().cert, next.certPem);
  }
  {
    await using elsewhere = await folder();
    await elsewhere.write(issue());
    for (const name of ['certFile', 'keyFile'] as const) {
      await rm(files.pair[name]);
      await symlink(elsewhere.pair[name], files.pair[name]);
    }
    const clock = new FakeClock();
    using tls = await followTlsFiles(files.pair, { clock });
    const next = issue();
    // The folder of the links does not change.
    await changed(tls, async () => {
      await elsewhere.write(next);
      await clock.advance(60_000);
    });
    assert.equal(tls.current().cert, next.certPem);
  }
});

test('A4 a server does not start with certificates that cannot be used', async () => {
  await using files = await folder();
  await assert.rejects(followTlsFiles(files.pair), { code: 'ENOENT' });
  await files.write({ ...issue(), certPem: issue().certPem });
  await assert.rejects(followTlsFiles(files.pair), { code: 'InvalidServingCertificate' });
  await files.write(issue());
  await writeFile(files.clientCaFile, 'nothing');
  await assert.rejects(followTlsFiles({ ...files.pair, clientCaFile: files.clientCaFile }), { code: 'InvalidClientCa' });
});
