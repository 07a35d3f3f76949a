import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request as requestHttp1 } from 'node:https';
import { setImmediate as turn } from 'node:timers/promises';
import { type KindDefinition, s, type Status } from '@arc/apimachinery';
import { createApiServer } from '@arc/apiserver';
import type { LogFields, Logger } from '@arc/kernel';
import { createKubeClient } from '@arc/kube-client';
import { type CertificateAndKey, createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { type ClusterAccessOptions, connectToCluster } from '../src/connect-to-cluster.ts';
import { startStubCore, type StubCore } from './stub-core.ts';

const thing: KindDefinition = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Thing',
  names: { plural: 'things', singular: 'thing' },
  scope: 'Namespaced',
  description: 'Thing is something to ask about.',
  schema: s.object({ spec: s.optional(s.freeForm()) }),
};

export const things = '/apis/demo.example.com/v1/namespaces/ns/things';
const configMaps = '/api/v1/namespaces/kube-system/configmaps';
export const namespaces = '/api/v1/namespaces';

/** The authorities of a cluster: one for its front proxy, one for its clients, and one it knows nothing of. */
export const authorities = {
  proxy: createAuthority({ commonName: 'front proxy authority' }),
  client: createAuthority({ commonName: 'client authority' }),
  stranger: createAuthority({ commonName: 'front proxy authority' }),
  serving: createAuthority({ commonName: 'serving authority' }),
};
const serving = issueServerCertificate(authorities.serving, { names: ['localhost'], addresses: ['127.0.0.1'] });

export function certificate(authority: CertificateAndKey, user: string, groups: readonly string[] = []): CertificateAndKey {
  return issueClientCertificate(authority, { user, groups });
}

export const aggregator = certificate(authorities.proxy, 'aggregator');

export interface Call {
  readonly method?: string;
  readonly path?: string;
  readonly certificate?: CertificateAndKey | undefined;
  /** Header names as they go on the wire, in order; repeated ones stay apart. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly body?: unknown;
}

interface Answer {
  readonly code: number;
  readonly type: string;
  readonly text: string;
  readonly status: () => Status;
}

export type HttpVersion = 'HTTP/1.1' | 'HTTP/2';
export const httpVersions: readonly HttpVersion[] = ['HTTP/1.1', 'HTTP/2'];

export interface AggregatedServer extends AsyncDisposable {
  readonly core: StubCore;
  readonly port: number;
  /** `level message: reason` of everything the access control logged. */
  readonly logged: readonly string[];
  call(version: HttpVersion, call?: Call): Promise<Answer>;
  /** Writes the ConfigMap; the server has read it, and taken it over or not, when this resolves. */
  configure(data: Readonly<Record<string, string>>): Promise<void>;
}

export const configuration = {
  'client-ca-file': authorities.client.certPem,
  'requestheader-client-ca-file': authorities.proxy.certPem,
  'requestheader-allowed-names': '["aggregator"]',
  'requestheader-username-headers': '["X-Remote-User"]',
  'requestheader-group-headers': '["X-Remote-Group"]',
  'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
};

/** A server behind a stub of a cluster, with namespace `ns`; the cluster allows everything until a test says otherwise. */
export async function startAggregatedServer(options: ClusterAccessOptions = {}): Promise<AggregatedServer> {
  await using opened = new AsyncDisposableStack();
  const core = opened.use(await startStubCore());
  core.answer = ({ kind }) => (kind === 'SubjectAccessReview' ? { allowed: true } : { authenticated: false });
  const putConfiguration = (data: Readonly<Record<string, string>>): void =>
    core.put(configMaps, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'extension-apiserver-authentication', namespace: 'kube-system' },
      ...{ data },
    });
  putConfiguration(configuration);
  core.put(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'ns' } });
  const client = opened.use(createKubeClient({ server: core.url }, { userAgent: 'aggregated-test' }));
  const logged: string[] = [];
  const logger = loggerInto(logged);
  const access = opened.use(await connectToCluster(client, { logger, ...options }));
  const store = opened.use(createMemoryStore());
  const api = opened.use(
    await createApiServer({
      kinds: [thing],
      store,
      access,
      readyChecks: access.readyChecks,
      tls: { cert: serving.certPem, key: serving.keyPem },
    }),
  );
  await api.ready;
  const { port } = await api.listen({ host: '127.0.0.1', port: 0 });
  await decided(logged, 0);
  const resources = opened.move();
  return {
    core,
    port,
    logged,
    call: (version, call = {}) => (version === 'HTTP/2' ? callHttp2(port, call) : callHttp1(port, call)),
    async configure(data) {
      const before = decisions(logged);
      putConfiguration(data);
      await decided(logged, before);
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

function loggerInto(lines: string[]): Logger {
  const at = (level: string) => (message: string, fields?: LogFields) =>
    void lines.push(`${level} ${message}: ${String(fields?.['reason'])}`);
  const logger: Logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => logger };
  return logger;
}

function decisions(logged: readonly string[]): number {
  return logged.filter((line) => /took over whom to believe|configuration of whom to believe is not used/.test(line)).length;
}

async function decided(logged: readonly string[], before: number): Promise<void> {
  while (decisions(logged) === before) await turn();
}

export function tlsOf({ certificate }: Call): { ca: string; cert?: string; key?: string } {
  return { ca: authorities.serving.certPem, ...(certificate !== undefined && { cert: certificate.certPem, key: certificate.keyPem }) };
}

async function callHttp1(port: number, call: Call): Promise<Answer> {
  const { method = 'GET', path = things, headers = [], body } = call;
  const request = requestHttp1({ host: '127.0.0.1', port, method, path, agent: false, ...tlsOf(call) });
  for (const [name] of headers) {
    const values = headers.filter(([other]) => other === name).map(([, value]) => value);
    request.setHeader(name, values.length === 1 ? (values[0] ?? '') : values);
  }
  if (body !== undefined) request.setHeader('content-type', 'application/json');
  request.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(request, 'response')) as [AsyncIterable<Buffer> & { statusCode: number; headers: Record<string, string> }];
  return answerOf(response.statusCode, response.headers['content-type'], await Array.fromAsync(response));
}

async function callHttp2(port: number, call: Call): Promise<Answer> {
  const { method = 'GET', path = things, headers = [], body } = call;
  const session = connectHttp2(`https://127.0.0.1:${port}`, tlsOf(call));
  try {
    const fields: Record<string, string | string[]> = { ':method': method, ':path': path };
    for (const [name] of headers) {
      const lower = name.toLowerCase();
      fields[lower] = headers.filter(([other]) => other.toLowerCase() === lower).map(([, value]) => value);
    }
    const stream = session.request({ ...fields, ...(body !== undefined && { 'content-type': 'application/json' }) });
    stream.end(body === undefined ? undefined : JSON.stringify(body));
    const [head] = (await once(stream, 'response')) as [Record<string, string | number>];
    const chunks = await Array.fromAsync(stream as AsyncIterable<Buffer>);
    return answerOf(Number(head[':status']), String(head['content-type'] ?? ''), chunks);
  } finally {
    session.destroy();
  }
}

function answerOf(code: number, type: string | undefined, chunks: readonly Buffer[]): Answer {
  const text = Buffer.concat(chunks).toString();
  return { code, type: type ?? '', text, status: () => JSON.parse(text) as Status };
}
