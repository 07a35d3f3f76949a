import { createApiServer } from '@arc/apiserver';
import { arcKinds } from '@arc/api/arc';
import { coreKinds } from '@arc/api/core';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { openSqliteStore } from '@arc/storage-sqlite';

// Runs in a process of its own, so that the load generator and the server do not share an event loop.
const [storage = 'memory:'] = process.argv.slice(2);
const authority = createAuthority({ commonName: 'bench' });
const server = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
const client = issueClientCertificate(authority, { user: 'bench', groups: ['system:masters'] });
const store = storage === 'memory:' ? createMemoryStore() : await openSqliteStore({ file: storage });
const apiServer = await createApiServer({
  kinds: [...coreKinds, ...arcKinds],
  store,
  tls: { cert: server.certPem, key: server.keyPem, clientCa: authority.certPem },
  inFlight: { reading: 1000, mutating: 1000 },
});
const { host, port } = await apiServer.listen({ host: '127.0.0.1', port: 0 });
await apiServer.ready;
process.send?.({ server: `https://${host}:${port}`, caPem: authority.certPem, certPem: client.certPem, keyPem: client.keyPem });
process.on('disconnect', () => void apiServer.close({ graceMs: 0 }).then(() => store[Symbol.asyncDispose]()));
