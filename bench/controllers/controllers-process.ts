import { arcKinds, type Order } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds } from '@arc/api/core';
import type { KindDefinition, ResourceType } from '@arc/apimachinery';
import { createArcControllers } from '@arc/arc-controllers';
import { startControllers } from '@arc/controller';
import type { Informer, KubeClient } from '@arc/kube-client';
import { standaloneControllers } from '@arc/standalone';
import { createScriptedRunner, createWorkflowEngine } from '@arc/workflows';
import type { Target } from '../load/target.ts';
import { answerCalls } from '../processes/calls.ts';
import { usageOf } from '../processes/own-usage.ts';
import { bareRequests } from './bare-requests.ts';
import { clientOf } from './client-of.ts';

/** One half of what `arcctl up` runs beside the API server; `nothing` is only there to send bare requests. */
export type Part = 'controllers' | 'engine' | 'nothing';

const stop = new AbortController();
const parts = new AsyncDisposableStack();
let connected: KubeClient | undefined;
let orders: Informer<Order> | undefined;

/** Resolves when everything is in memory and at work. */
async function start({ part, target }: { readonly part: Part; readonly target: Target }): Promise<void> {
  connected = parts.use(clientOf(target, part));
  if (part === 'controllers') await startArc(connected);
  if (part === 'engine') await startEngine(connected);
}

async function startArc(client: KubeClient): Promise<void> {
  const arc = parts.use(createArcControllers({ client, digestKey: Buffer.alloc(32, 'k') }));
  ({ orders } = arc.informers);
  const own = parts.use(startControllers(standaloneControllers({ client, types: collectable() })));
  const controllers = parts.use(startControllers(arc.definitions));
  await Promise.all([own.ready, controllers.ready]);
}

/** Steps succeed as soon as they have started. */
async function startEngine(client: KubeClient): Promise<void> {
  const runner = parts.use(createScriptedRunner({ now: () => Date.now(), script: () => ({ exitCode: 0 }) }));
  const ready = Promise.withResolvers<void>();
  const running = createWorkflowEngine({ client, runner }).run(stop.signal, { onReady: ready.resolve });
  parts.defer(async () => {
    stop.abort();
    await running;
  });
  await Promise.race([ready.promise, running]);
}

function collectable(): ResourceType[] {
  const needed = ['list', 'watch', 'delete'] as const;
  return [...coreKinds, ...arcKinds, ...argoKinds]
    .filter(({ verbs }: KindDefinition) => verbs === undefined || needed.every((verb) => verbs.includes(verb)))
    .map(({ group, version, kind, names, scope }) => ({ group, version, kind, plural: names.plural, namespaced: scope === 'Namespaced' }));
}

/** How many Orders have succeeded; of a destination, since its Endpoint had this generation. */
function succeeded({ destination, generation }: { readonly destination?: string; readonly generation?: number }): number {
  const isDone = ({ status }: Order): boolean =>
    status?.phase === 'Succeeded' && (destination === undefined || status.endpointGenerations?.[destination] === generation);
  return orders?.list().filter(isDone).length ?? 0;
}

async function sendBareRequests({ count }: { readonly count: number }): Promise<void> {
  if (connected !== undefined) await bareRequests(connected, count);
}

const calls = { start, succeeded, sendBareRequests, usage: usageOf };
export type ControllersCalls = typeof calls;

answerCalls(calls, () => parts.disposeAsync());
