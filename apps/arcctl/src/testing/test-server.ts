import { arcKinds } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds, defaultNamespaces, namespaces } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import { createApiServer } from '@arc/apiserver';
import type { Connector } from '@arc/apiserver';
import { memoryStreams } from '@arc/cli-kit';
import type { ExitCode, MemoryStreamsOptions } from '@arc/cli-kit';
import { systemClock } from '@arc/kernel';
import type { Clock } from '@arc/kernel';
import { createKubeClient, writeKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import { createMemoryStore } from '@arc/storage';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../run-cli.ts';

interface CliResult {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

interface CliOptions extends MemoryStreamsOptions {
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  readonly environment?: Readonly<Record<string, string>>;
}

/** A real API server over memory, a client that is its administrator, and the command line pointed at it. */
export interface TestServer extends AsyncDisposable {
  readonly client: KubeClient;
  readonly kubeconfig: string;
  arcctl(args: readonly string[], options?: CliOptions): Promise<CliResult>;
  /** Writes a file into a folder that goes away with the server. */
  file(name: string, content: string): Promise<string>;
}

export async function startTestServer(options: { readonly podLog?: Connector['handle'] } = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'arcctl-test-'));
  const authority = createAuthority({ commonName: 'test' });
  const { certPem, keyPem } = issueServerCertificate(authority, { names: [], addresses: ['127.0.0.1'] });
  const store = createMemoryStore();
  const server = await createApiServer({
    kinds: [...coreKinds, ...rbacKinds, ...arcKinds, ...argoKinds],
    store,
    tls: { cert: certPem, key: keyPem, clientCa: authority.certPem },
    ...(options.podLog !== undefined && {
      connectors: [{ group: '', plural: 'pods', subresource: 'log', verbs: ['get'], mediaType: 'text/plain', handle: options.podLog }],
    }),
  });
  const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
  await server.ready;
  const context = {
    name: 'test',
    server: `https://127.0.0.1:${port}`,
    caPem: authority.certPem,
    clientCertificate: issueClientCertificate(authority, { user: 'admin', groups: ['system:masters'] }),
  };
  const kubeconfig = join(folder, 'kubeconfig');
  await writeKubeconfig(kubeconfig, context);
  const client = createKubeClient(context, { userAgent: 'test' });
  for (const namespace of defaultNamespaces()) await client.create(namespaces, namespace);
  return {
    client,
    kubeconfig,
    async arcctl(args, { signal = new AbortController().signal, clock = systemClock, environment, ...streamOptions } = {}) {
      const streams = memoryStreams(streamOptions);
      const code = await runCli(args, { streams, environment: environment ?? { KUBECONFIG: kubeconfig }, clock, signal });
      return { code, stdout: streams.stdout.text, stderr: streams.stderr.text };
    },
    async file(name, content) {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      await store[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
