import { arcKinds } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import { createApiServer, type ApiServer } from '@arc/apiserver';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import type { Store } from '@arc/storage';
import { openStore, parseStorageUrl } from '@arc/composition/storage';
import type { Target } from '../load/target.ts';
import { answerCalls } from '../processes/calls.ts';
import { seedStore, type Seed } from './seed.ts';

export interface Start {
  /** As `--storage` takes it. */
  readonly storage: string;
  readonly seed?: Seed;
}

export interface Started {
  /** As an ordinary user, whose rights come from RBAC. */
  readonly user: Target;
  readonly administrator: Target;
  /** From opening the storage, which has everything already, to answering probes. */
  readonly probedMs: number;
  /** The same to answering requests. */
  readonly startMs: number;
  readonly seedMs: number;
}

export interface Usage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
  /** Memory outside of the heap that the heap refers to. */
  readonly externalBytes: number;
}

let running: { readonly apiServer: ApiServer; readonly store: Store } | undefined;

async function start({ storage, seed }: Start): Promise<Started> {
  const began = performance.now();
  const store = await openStore(parseStorageUrl(storage), { signal: new AbortController().signal });
  const opened = performance.now();
  if (seed !== undefined) await seedStore(store, seed);
  const seeded = performance.now();
  const authority = createAuthority({ commonName: 'bench' });
  const { certPem, keyPem } = issueServerCertificate(authority, { names: ['localhost'], addresses: ['127.0.0.1'] });
  const loading = performance.now();
  const apiServer = await createApiServer({
    kinds: [...coreKinds, ...rbacKinds, ...arcKinds, ...argoKinds],
    store,
    tls: { cert: certPem, key: keyPem, clientCa: authority.certPem },
    inFlight: { reading: 2000, mutating: 2000 },
  });
  const { host, port } = await apiServer.listen({ host: '127.0.0.1', port: 0 });
  const listening = performance.now();
  running = { apiServer, store };
  await apiServer.ready;
  const targetOf = (user: string, groups: readonly string[]): Target => {
    const client = issueClientCertificate(authority, { user, groups });
    return { host, port, tls: { ca: authority.certPem, cert: client.certPem, key: client.keyPem } };
  };
  return {
    user: targetOf('bench', []),
    administrator: targetOf('administrator', ['system:masters']),
    probedMs: opened - began + listening - loading,
    startMs: opened - began + performance.now() - loading,
    seedMs: seeded - opened,
  };
}

function usage({ collect }: { readonly collect: boolean }): Usage {
  // Twice: finalizers of the first free what only the second can collect.
  for (let time = 0; collect && time < 2; time += 1) globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed, externalBytes: external };
}

const calls = { start, usage };
export type ServerCalls = typeof calls;

answerCalls(calls, async () => {
  await running?.apiServer.close({ graceMs: 0 });
  await running?.store[Symbol.asyncDispose]();
});
