import { setTimeout as sleep } from 'node:timers/promises';
import { clientOf } from '../controllers/client-of.ts';
import { costOf, total, until, untilQuiet, type Cost, type World } from '../controllers/ledger.ts';
import {
  artifactsPerOrder,
  destinationOf,
  destinationOfTheRest,
  installScenario,
  moveDestination,
  orderTo,
} from '../controllers/order-scenario.ts';
import { startPart } from '../controllers/start-part.ts';
import { startLoad } from '../load/start-load.ts';
import type { Plan } from '../plan.ts';
import type { Unit } from '../results/measurement.ts';
import { startBackend } from '../server/backends.ts';
import { collection } from '../server/order-sample.ts';
import { serve, type ServerUnderTest } from '../server/server-under-test.ts';
import type { Bench } from './bench.ts';

/** Who creates Orders at once. */
const writers = 10;

type Record = (metric: string, at: Readonly<{ [name: string]: number | string }>, unit: Unit, value: number, baseline?: number) => void;

/** Orders on their way through the real controllers and the real engine, whose steps end as soon as they have started. */
export const orders: Bench = {
  name: 'orders',
  about: 'thousands of Orders reconciled, left alone, and reconciled again after a change of their Endpoint',
  backends: 'none',
  async run({ plan, recorder }) {
    const record: Record = (metric, at, unit, value, baseline) =>
      recorder.record({
        ...{ bench: 'orders', backend: 'none', metric, at, unit, values: [value] },
        ...(baseline !== undefined && { baseline: { name: 'the bare requests', values: [baseline] } }),
      });
    const bare = await cpuOfBareRequests(plan);
    await using backend = await startBackend('sqlite');
    await using server = await serve(backend, undefined, { countRequests: true });
    const groups = groupsOf(plan);
    await prepare(server, groups);
    await using controllers = await startPart(server, 'controllers');
    await using engine = await startPart(server, 'engine');
    const world = { server, controllers, engine };

    const seconds = plan.orders.idleMs / 1000;
    record('CPU when idle', { orders: 0, seconds }, 'ms', (await idleness(world, plan.orders.idleMs)).cpuMs.all);
    const artifacts = plan.orders.count * artifactsPerOrder;
    const created = await costOf(world, () => createOrders(world, groups));
    record('Orders', { orders: plan.orders.count }, '1/s', (plan.orders.count / created.elapsedMs) * 1000);
    recordCost(created, artifacts, record, bare);
    await untilQuiet(world);

    const idle = await idleness(world, plan.orders.idleMs);
    record('CPU when idle', { orders: plan.orders.count, seconds }, 'ms', idle.cpuMs.all);
    // A watch that has come to its end is asked for again.
    record('requests when idle', { orders: plan.orders.count }, 'count', total(idle.requests, /^\S+ (?!watch )/));
    await recordChanges(world, plan, record);
    await recordRestart(world, record);
  },
};

interface Group {
  readonly destination: string;
  readonly first: number;
  readonly count: number;
}

/** A destination for as many Orders as are to be changed at once, each time, and one for the rest. */
function groupsOf({ orders: { count, changed } }: Plan): readonly Group[] {
  let first = 0;
  const groups = changed.map((size): Group => {
    const group = { destination: destinationOf(size), first, count: size };
    first += size;
    return group;
  });
  return [...groups, { destination: destinationOfTheRest, first, count: count - first }];
}

async function prepare(server: ServerUnderTest, groups: readonly Group[]): Promise<void> {
  await using client = clientOf(await server.administrator('bench'), 'bench');
  await installScenario(
    client,
    groups.map(({ destination }) => destination),
  );
}

async function createOrders({ server, controllers }: World, groups: readonly Group[]): Promise<void> {
  await using load = startLoad();
  let all = 0;
  for (const { destination, first, count } of groups) {
    all += count;
    const template = orderTo(destination);
    await load.call('writes', { target: server.target, collection, template, writers, operation: 'create', first, count });
  }
  await until(async () => (await controllers.call('succeeded', {})) === all);
}

function recordCost({ cpuMs, requests }: Cost, artifacts: number, record: Record, bare: number): void {
  for (const [who, value] of Object.entries(cpuMs))
    record('CPU of an artifact', { who }, 'ms', value / artifacts, who === 'all' ? bare : undefined);
  for (const [request, count] of [...requests].sort()) record('requests of an artifact', { request }, 'count', count / artifacts);
  record('all requests of an artifact', { who: 'controllers' }, 'count', total(requests, /^controllers /) / artifacts);
  record('all requests of an artifact', { who: 'engine' }, 'count', total(requests, /^engine /) / artifacts);
  record('status writes of an artifact', { who: 'controllers' }, 'count', total(requests, /^controllers .*\/status$/) / artifacts);
}

async function idleness(world: World, ms: number): Promise<Cost> {
  return await costOf(world, () => sleep(ms));
}

/** Each time more Orders have to transfer everything again. */
async function recordChanges(world: World, plan: Plan, record: Record): Promise<void> {
  await using client = clientOf(await world.server.administrator('bench'), 'bench');
  const costs: Cost[] = [];
  for (const count of plan.orders.changed) {
    const destination = destinationOf(count);
    const cost = await costOf(world, async () => {
      const generation = await moveDestination(client, destination);
      await until(async () => (await world.controllers.call('succeeded', { destination, generation })) === count);
    });
    await untilQuiet(world);
    costs.push(cost);
    record('an Order after a change of its Endpoint', { orders: count }, 'ms', cost.elapsedMs / count);
    record('CPU of an artifact after a change of its Endpoint', { orders: count }, 'ms', cost.cpuMs.all / count / artifactsPerOrder);
  }
  const [fewest, most] = [plan.orders.changed[0] ?? 0, plan.orders.changed.at(-1) ?? 0];
  const [first, last] = [costs[0], costs.at(-1)];
  if (first === undefined || last === undefined) return;
  const at = { orders: most };
  const ratio = (of: (cost: Cost) => number): number => of(last) / most / (of(first) / fewest);
  record(
    'time of an Order, most over fewest',
    at,
    'x',
    ratio(({ elapsedMs }) => elapsedMs),
  );
  record(
    'CPU of an artifact, most over fewest',
    at,
    'x',
    ratio(({ cpuMs }) => cpuMs.all),
  );
}

/** What is kept after all the work, beside what controllers that have just started keep of the same objects. */
async function recordRestart({ server, controllers }: World, record: Record): Promise<void> {
  const { heapBytes } = await controllers.call('usage', { collect: true });
  await controllers[Symbol.asyncDispose]();
  const before = await server.requests();
  await using fresh = await startPart(server, 'controllers');
  await untilQuiet({ server, controllers: fresh, engine: fresh });
  const after = await server.requests();
  const usage = await fresh.call('usage', { collect: true });
  record('heap of the controllers', {}, 'bytes', heapBytes);
  record('heap of the controllers, over one that has just started', {}, 'x', heapBytes / usage.heapBytes);
  record('CPU of a start of the controllers', {}, 'ms', usage.cpuMs);
  const writes = Object.entries(after).filter(([request]) => /^controllers (create|update|patch|delete) /.test(request));
  record(
    'writes at a start of the controllers',
    {},
    'count',
    writes.reduce((sum, [request, count]) => sum + count - (before[request] ?? 0), 0),
  );
}

/** Milliseconds for each artifact. */
async function cpuOfBareRequests({ orders: { count } }: Plan): Promise<number> {
  await using backend = await startBackend('sqlite');
  await using server = await serve(backend);
  await using client = await startPart(server, 'nothing');
  const some = Math.min(count, 1000);
  const cpu = async (): Promise<number> => (await server.cpuMs()).server + (await client.call('usage', { collect: false })).cpuMs;
  const before = await cpu();
  await client.call('sendBareRequests', { count: some });
  return ((await cpu()) - before) / some / artifactsPerOrder;
}
