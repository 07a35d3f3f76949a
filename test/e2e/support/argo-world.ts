import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { arcKindsWithin } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { customResourceDefinitionDefinition, namespaces } from '@arc/api/core';
import type { KindDefinition } from '@arc/apimachinery';
import { createArcControllers } from '@arc/arc-controllers';
import type { ArcControllersOptions, ArcLimits, HandOverSettings } from '@arc/arc-controllers';
import { startControllers } from '@arc/controller';
import type { KubeClient } from '@arc/kube-client';
import { startStandaloneServer } from '@arc/standalone';
import { createMemoryStore } from '@arc/storage';
import type { FakeKubelet } from './fake-kubelet.ts';

export const namespace = 'team';

/** An API server with ARC's kinds and controllers, and no engine: what ARC makes of Orders is left for Argo. */
export interface ArgoWorld extends AsyncDisposable {
  readonly folder: string;
  /** An administrator's. */
  readonly client: KubeClient;
  readonly kubeconfig: string;
}

export interface ArgoWorldOptions {
  /** The kinds of Argo, and what else is to be served. Default: those ARC has itself. */
  readonly kinds?: readonly KindDefinition[];
  /** Runs the pods. */
  readonly kubelet?: FakeKubelet;
  readonly handOver?: HandOverSettings;
  readonly kueue?: NonNullable<ArcControllersOptions['kueue']>;
  readonly limits?: ArcLimits;
}

/** Starts ARC's controllers and the kubelet, each with a client of its own. */
async function startArc(
  clients: { readonly arc: KubeClient; readonly kubelet: KubeClient },
  { handOver = {}, limits = {}, kueue, kubelet }: Pick<ArgoWorldOptions, 'handOver' | 'limits' | 'kueue' | 'kubelet'>,
): Promise<AsyncDisposable> {
  await using opened = new AsyncDisposableStack();
  const arc = opened.use(
    createArcControllers({
      client: clients.arc,
      digestKey: Buffer.from('a key that stays the same for ever'),
      limits: { maxActiveWorkflows: 100, progressIntervalMs: 50, ...limits },
      handOver,
      ...(kueue !== undefined && { kueue }),
    }),
  );
  const kubelets = kubelet === undefined ? [] : [kubelet.controller(clients.kubelet)];
  await opened.use(startControllers([...arc.definitions, ...kubelets])).ready;
  return opened.move();
}

export async function startArgoWorld(options: ArgoWorldOptions = {}): Promise<ArgoWorld> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-argo-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const kinds = options.kinds ?? argoKinds;
  const server = opened.use(
    await startStandaloneServer({
      kinds: [customResourceDefinitionDefinition, ...kinds, ...arcKindsWithin({ minimumCronInterval: 1 })],
      store: opened.use(createMemoryStore()),
      directory: folder,
      connectors: options.kubelet === undefined ? [] : [options.kubelet.logs],
    }),
  );
  const connect = async (name: string): Promise<KubeClient> =>
    opened.use(await server.connect(name, { user: name, groups: ['system:masters'], userAgent: name }));
  const client = await connect('test');
  await client.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  opened.use(await startArc({ arc: await connect('arc'), kubelet: await connect('kubelet') }, options));
  const all = opened.move();
  return { folder, client, kubeconfig: server.kubeconfig, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
