import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientConfigOf, loadKubeconfig } from '@arc/kube-client';
import { eventually, kubernetesEtcd, missingKubernetes, startEtcd, startKubeApiserver } from '@arc/testkit';
import { Connection } from '../load/connection.ts';
import type { Target } from '../load/target.ts';
import { cpuTimeMs, residentBytes } from '../processes/process-usage.ts';
import { backendNames, missingBackend, type BackendName } from '../server/backends.ts';
import { collection, orderTemplate } from '../server/order-sample.ts';
import { prepareForBench, startServer } from '../server/server-under-test.ts';
import { orderCrd } from './order-crd.ts';
import { targetOf, type Subject } from './subject.ts';

export const localSubjects = ['kube-apiserver', ...backendNames] as const;
export type LocalSubject = (typeof localSubjects)[number];

/** A subject that was started here. */
type StartedSubject = Subject & AsyncDisposable;

/** Why one cannot be started here; undefined when it can. */
export function missingSubject(name: LocalSubject): string | undefined {
  return name === 'kube-apiserver' ? missingKubernetes('kube-apiserver') : missingBackend(name);
}

export function isLocalSubject(name: string): name is LocalSubject {
  return localSubjects.some((known) => known === name);
}

/** Starts ARC's API server on a backend, or a kube-apiserver that serves Orders as a custom resource. */
export async function startSubject(name: LocalSubject): Promise<StartedSubject> {
  return name === 'kube-apiserver' ? await startKubernetes() : await startArc(name);
}

const titles = { memory: 'memory', sqlite: 'SQLite', postgres: 'PostgreSQL', etcd: 'etcd' } as const;

async function startArc(backend: BackendName): Promise<StartedSubject> {
  const server = await startServer(backend);
  return {
    ...{ name: `ARC, ${titles[backend]}`, target: server.target, collection, template: orderTemplate, temporary: true },
    usage: async () => {
      const { server: own, database } = await server.cpuMs();
      return { cpuMs: own + database, rssBytes: (await server.usage()).rssBytes };
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/**
 * A kube-apiserver and an etcd as durable as in production. Its user has no more rights than ARC's has; the fair queues are
 * off, so that it holds back no more requests than ARC does.
 */
async function startKubernetes(): Promise<StartedSubject> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'arc-bench-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const etcd = opened.use(
    await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd'), { args: ['--quota-backend-bytes', String(8 * 1024 ** 3)] }),
  );
  const args = ['--enable-priority-and-fairness=false', '--max-requests-inflight=2000', '--max-mutating-requests-inflight=2000'];
  const kube = opened.use(await startKubeApiserver(join(folder, 'kube'), { etcd: etcd.url, args }));
  const administrator = await targetOfKubeconfig(await kube.kubeconfig('administrator', ['system:masters']));
  await defineOrders(administrator);
  await prepareForBench(administrator);
  const target = await targetOfKubeconfig(await kube.kubeconfig('bench'));
  await eventually(() => answers(target), { what: 'the custom resource to be served' });
  const parts = opened.move();
  return {
    ...{ name: 'kube-apiserver', target, collection, template: orderTemplate, temporary: true },
    usage: () =>
      Promise.resolve({
        cpuMs: (cpuTimeMs(kube.pid) ?? Number.NaN) + (cpuTimeMs(etcd.pid ?? 0) ?? Number.NaN),
        rssBytes: residentBytes(kube.pid) ?? Number.NaN,
      }),
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function targetOfKubeconfig(path: string): Promise<Target> {
  return await targetOf(await clientConfigOf(await loadKubeconfig([{ path, text: await readFile(path, 'utf8') }])));
}

async function defineOrders(administrator: Target): Promise<void> {
  using connection = await Connection.open(administrator);
  const path = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await connection.send(connection.head({ method: 'POST', path, contentType: 'application/json' }), JSON.stringify(orderCrd()));
}

async function answers(target: Target): Promise<boolean> {
  using connection = await Connection.open(target);
  await connection.send(connection.head({ method: 'GET', path: collection }));
  return true;
}
