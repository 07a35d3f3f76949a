import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerUnderTest } from '../server/server-under-test.ts';
import type { PartProcess } from './start-part.ts';

/** Who takes part in reconciling. */
export interface World {
  readonly server: ServerUnderTest;
  readonly controllers: PartProcess;
  readonly engine: PartProcess;
}

/** What some work has cost everybody who takes part in it. */
export interface Cost {
  readonly elapsedMs: number;
  readonly cpuMs: { readonly server: number; readonly controllers: number; readonly engine: number; readonly all: number };
  /** By `USER VERB RESOURCE[/SUBRESOURCE]`; without what was not asked for. */
  readonly requests: ReadonlyMap<string, number>;
}

/** Lets work happen and tells what it has cost. */
export async function costOf(world: World, work: () => Promise<void>): Promise<Cost> {
  const before = await standing(world);
  await work();
  const after = await standing(world);
  const server = after.server - before.server;
  const controllers = after.controllers - before.controllers;
  const engine = after.engine - before.engine;
  return {
    elapsedMs: after.at - before.at,
    cpuMs: { server, controllers, engine, all: server + controllers + engine },
    requests: new Map(
      Object.entries(after.requests)
        .map(([request, count]) => [request, count - (before.requests[request] ?? 0)] as const)
        .filter(([, count]) => count > 0),
    ),
  };
}

/** Resolves when it holds. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(pollMs);
}

/** Resolves when nobody has asked the server for anything for a while. */
export async function untilQuiet({ server }: World): Promise<void> {
  let seen = -1;
  for (let quietMs = 0; quietMs < settledMs; quietMs += pollMs) {
    await sleep(pollMs);
    const now = total(new Map(Object.entries(await server.requests())));
    if (now !== seen) quietMs = 0;
    seen = now;
  }
}

/** Requests of some user, or that have a verb or name a resource: those whose text matches. */
export function total(requests: Cost['requests'], matching = /^/): number {
  let sum = 0;
  for (const [request, count] of requests) if (matching.test(request)) sum += count;
  return sum;
}

/** Rare enough to cost nothing beside the work. */
const pollMs = 200;
const settledMs = 1000;

interface Standing {
  readonly at: number;
  readonly server: number;
  readonly controllers: number;
  readonly engine: number;
  readonly requests: Readonly<Record<string, number>>;
}

async function standing({ server, controllers, engine }: World): Promise<Standing> {
  const usage = { collect: false };
  const [cpu, ofControllers, ofEngine, requests] = await Promise.all([
    server.cpuMs(),
    controllers.call('usage', usage),
    engine.call('usage', usage),
    server.requests(),
  ]);
  return { at: performance.now(), server: cpu.server + cpu.database, controllers: ofControllers.cpuMs, engine: ofEngine.cpuMs, requests };
}
