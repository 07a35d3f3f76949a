import { arcKinds } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import { createApiServer, type ApiServer, type AuditOptions } from '@arc/apiserver';
import { createAuthority, issueClientCertificate, issueServerCertificate } from '@arc/pki';
import type { Store } from '@arc/storage';
import { openStore, parseStorageUrl } from '@arc/composition/storage';
import type { Target } from '../load/target.ts';
import { answerCalls } from '../processes/calls.ts';
import { usageOf } from '../processes/own-usage.ts';
import { seedStore, type Seed } from './seed.ts';

export interface Start {
  /** As `--storage` takes it. */
  readonly storage: string;
  readonly seed?: Seed;
  /** Counts requests for `requests`, which costs each of them a little. */
  readonly countRequests?: boolean;
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

/** Requests by `USER VERB RESOURCE[/SUBRESOURCE]`, from their arrival on. */
export type RequestCounts = Readonly<Record<string, number>>;

interface Running {
  readonly apiServer: ApiServer;
  readonly store: Store;
  readonly targetOf: (user: string, groups: readonly string[]) => Target;
}

let running: Running | undefined;
const counts = new Map<string, number>();

async function start({ storage, seed, countRequests = false }: Start): Promise<Started> {
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
    ...(countRequests && { audit: countingAudit }),
  });
  const { host, port } = await apiServer.listen({ host: '127.0.0.1', port: 0 });
  const listening = performance.now();
  const targetOf = (user: string, groups: readonly string[]): Target => {
    const client = issueClientCertificate(authority, { user, groups });
    return { host, port, tls: { ca: authority.certPem, cert: client.certPem, key: client.keyPem } };
  };
  running = { apiServer, store, targetOf };
  await apiServer.ready;
  return {
    user: targetOf('bench', []),
    administrator: targetOf('administrator', ['system:masters']),
    probedMs: opened - began + listening - loading,
    startMs: opened - began + performance.now() - loading,
    seedMs: seeded - opened,
  };
}

/** An audit policy is asked about every request; this one counts and has nothing recorded. */
const countingAudit: AuditOptions = {
  policy: {
    decide({ verb, resource, subresource }, { name }) {
      const counted = `${name} ${verb} ${subresource === '' ? resource : `${resource}/${subresource}`}`;
      counts.set(counted, (counts.get(counted) ?? 0) + 1);
      return { level: 'None', omitStages: new Set() };
    },
  },
  write: () => {},
};

function requests(): RequestCounts {
  return Object.fromEntries(counts);
}

/** Certificates of an administrator who is counted under a name of their own. */
function administrator({ name }: { readonly name: string }): Target {
  if (running === undefined) throw new Error('the server has not been started');
  return running.targetOf(name, ['system:masters']);
}

const calls = { start, usage: usageOf, requests, administrator };
export type ServerCalls = typeof calls;

answerCalls(calls, async () => {
  await running?.apiServer.close({ graceMs: 0 });
  await running?.store[Symbol.asyncDispose]();
});
