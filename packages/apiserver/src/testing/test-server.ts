import { createMemoryStore, type Store } from '@arc/storage';
import { type ApiServerOptions, createApiServer } from '../api-server.ts';
import { testKinds } from './kinds.ts';
import { testClient, type TestClient } from './test-client.ts';

interface CertificateAndKey {
  readonly certPem: string;
  readonly keyPem: string;
}

/** The part of a PKI the tests need; given by them, since this package may not depend on one. */
export interface TestPki {
  createAuthority(options: { readonly commonName: string }): CertificateAndKey;
  issueServerCertificate(
    authority: CertificateAndKey,
    options: { readonly names: readonly string[]; readonly addresses: readonly string[] },
  ): CertificateAndKey;
  issueClientCertificate(
    authority: CertificateAndKey,
    options: { readonly user: string; readonly groups: readonly string[] },
  ): CertificateAndKey;
}

export interface TestServer extends AsyncDisposable {
  readonly port: number;
  readonly ca: string;
  readonly store: Store;
  readonly admin: TestClient;
  readonly adminCertificate: CertificateAndKey;
  readonly api: Awaited<ReturnType<typeof createApiServer>>;
  as(user: string, groups?: readonly string[]): TestClient;
  withCertificate(certificate: CertificateAndKey | undefined): TestClient;
}

type TestServerOptions = Partial<Omit<ApiServerOptions, 'tls'>> & {
  readonly port?: number;
  /** Default: true. False: also without namespace `ns`. */
  readonly waitUntilReady?: boolean;
};

/** A server over a memory store, with namespace `ns`, listening on loopback. */
export async function startTestServer(pki: TestPki, options: TestServerOptions = {}): Promise<TestServer> {
  const authority = pki.createAuthority({ commonName: 'test authority' });
  const serving = pki.issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const adminCertificate = pki.issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] });
  const store = options.store ?? createMemoryStore();
  const api = await createApiServer({
    kinds: testKinds,
    ...options,
    store,
    tls: { cert: serving.certPem, key: serving.keyPem, clientCa: authority.certPem },
  });
  const { port } = await api.listen({ host: '127.0.0.1', port: options.port ?? 0 });
  const clients: TestClient[] = [];
  const ca = authority.certPem;
  const withCertificate = (certificate: CertificateAndKey | undefined): TestClient => {
    const client = testClient({ port, ca, ...(certificate !== undefined && { cert: certificate.certPem, key: certificate.keyPem }) });
    clients.push(client);
    return client;
  };
  const admin = withCertificate(adminCertificate);
  if (options.waitUntilReady !== false) {
    await api.ready;
    await admin.post('/api/v1/namespaces', { metadata: { name: 'ns' } });
  }
  return {
    port,
    ca,
    store,
    admin,
    adminCertificate,
    api,
    withCertificate,
    as: (user, groups = []) => withCertificate(pki.issueClientCertificate(authority, { user, groups })),
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client[Symbol.dispose]();
      await api.close({ graceMs: 0 });
    },
  };
}
