import { arcGroup, artifactWorkflows, orders, orderUidLabel } from '@arc/api/arc';
import type { ArtifactWorkflow, Order, OrderRun } from '@arc/api/arc';
import { createProgressDisplay, createTablePrinter, exitCodes, formatBytes, UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { isStatusReason } from '@arc/apimachinery/client';
import { anySignal, ArcError } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { connect } from '../cluster/connection.ts';
import { textsOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { readManifests } from '../manifests/read-manifests.ts';
import { followObject } from './follow-object.ts';
import { isFinished, progressOf, runLabel } from './order-progress.ts';
import { bytesOfReceipt } from './receipt-bytes.ts';
import { timeoutFrom } from './timeout.ts';

/** Should nobody be left to remove it. */
const timeToLive = '1h';
const removalMs = 10_000;

/**
 * `arcctl order plan -f FILE`: places each Order of a file under another name as a dry run, says what it would transfer, and
 * removes it again. Nothing else in the file is created.
 *
 * @returns 0 when everything could be transferred, else that of a failed Order
 * @throws UsageError; ApiStatusError; ArcError `Timeout`
 */
export async function planOrders(invocation: Invocation): Promise<ExitCode> {
  const timeoutMs = timeoutFrom(invocation);
  const manifests = await readManifests(textsOption(invocation, 'filename'), invocation.streams.stdin);
  const planned = manifests.flatMap(({ object }) =>
    object.kind === orders.kind && object.apiVersion.startsWith(`${arcGroup}/`) ? [object as Order] : [],
  );
  if (planned.length === 0) throw new UsageError('there is no Order in it', { hint: 'Name a file that holds an Order.' });
  await using connection = await connect(invocation);
  const timeout = new AbortController();
  const isLate = new ArcError('Timeout', `not planned after ${String(invocation.options['timeout'])}`, { hint: 'Give it more time.' });
  using _timer = timeoutMs === undefined ? undefined : invocation.clock.after(timeoutMs, () => timeout.abort(isLate));
  const plan: Plan = { invocation, client: connection.client, signal: anySignal(invocation.signal, timeout.signal) };
  let isPossible = true;
  for (const order of planned) isPossible = (await planOne(plan, order, connection.namespace)) && isPossible;
  return isPossible ? exitCodes.ok : exitCodes.orderFailed;
}

interface Plan {
  readonly invocation: Invocation;
  readonly client: KubeClient;
  readonly signal: AbortSignal;
}

async function planOne(plan: Plan, order: Order, defaultNamespace: string): Promise<boolean> {
  const { client, signal } = plan;
  const { namespace = defaultNamespace, name = 'order' } = order.metadata;
  const options = { fieldManager: 'arcctl', fieldValidation: 'Strict', signal } as const;
  const wanted: Order = {
    apiVersion: order.apiVersion,
    kind: order.kind,
    metadata: { generateName: `${name}-plan-`, namespace },
    spec: { ...order.spec, dryRun: true, suspend: false, ttl: timeToLive },
  };
  const once = withoutSchedules(wanted);
  // Schedules are checked, but what is tried is tried now.
  if (once !== wanted) await client.create<Order>(orders, wanted, { ...options, dryRun: true });
  const trial = await client.create<Order>(orders, once, options);
  try {
    const ended = await endOf(plan, trial);
    const labelSelector = `${orderUidLabel}=${trial.metadata.uid}`;
    const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace, labelSelector, signal });
    return report(plan.invocation, ended, { name: `${namespace}/${name}`, runs: items });
  } finally {
    await remove(client, trial);
  }
}

/** The Order itself when it has no schedules. */
function withoutSchedules(order: Order): Order {
  const { defaults, artifacts = [] } = order.spec ?? {};
  if (defaults?.cron === undefined && artifacts.every(({ cron }) => cron === undefined)) return order;
  const { cron: _cron, ...others } = defaults ?? {};
  return { ...order, spec: { ...order.spec, defaults: others, artifacts: artifacts.map(({ cron: _own, ...artifact }) => artifact) } };
}

/** Follows it until nothing more will come of it; what waits for something that does not exist is not waited for. */
async function endOf({ client, invocation, signal }: Plan, { metadata: { name = '', namespace = '' } }: Order): Promise<Order> {
  using display = createProgressDisplay(invocation.streams.stderr, invocation.clock);
  const keepAlive = setInterval(() => {}, 1 << 30);
  try {
    for await (const order of followObject<Order>(client, orders, { namespace, name }, { clock: invocation.clock, signal })) {
      if (order === undefined) break;
      display.update(progressOf(order, false));
      if (isFinished(order) || isStuck(order)) return order;
    }
  } finally {
    clearInterval(keepAlive);
  }
  throw new ArcError('OrderDeleted', `the trial order ${namespace}/${name} was deleted before it had finished`);
}

function isStuck({ status }: Order): boolean {
  const runs = Object.values(status?.artifactWorkflows ?? {});
  const { running = 0, pending = 0, blocked = 0 } = status?.counts ?? {};
  return runs.length > 0 && running === 0 && pending === 0 && blocked > 0;
}

interface Trial {
  readonly name: string;
  readonly runs: readonly ArtifactWorkflow[];
}

function report({ streams }: Invocation, order: Order, { name, runs }: Trial): boolean {
  const artifacts = order.spec?.artifacts ?? [];
  const entries = Object.values(order.status?.artifactWorkflows ?? {}).toSorted((a, b) => a.artifactIndex - b.artifactIndex);
  const possible = entries.filter(({ phase }) => phase === 'Succeeded').length;
  let total = 0;
  const rows = entries.map((entry) => {
    const bytes = bytesOfReceipt(runs.find(({ metadata }) => metadata.name === entry.name)?.status?.receipt);
    total += bytes?.copied ?? 0;
    const there = bytes === undefined ? '-' : formatBytes(bytes.total - bytes.copied);
    const toCopy = bytes === undefined ? '-' : formatBytes(bytes.copied);
    return [runLabel(artifacts[entry.artifactIndex], entry), toCopy, there, reasonOf(entry)];
  });
  if (rows.length > 0)
    createTablePrinter(streams.stdout, [{ name: 'Artifact' }, { name: 'To copy' }, { name: 'There' }, { name: 'Result' }]).print(rows);
  const sum = total > 0 ? `, ${formatBytes(total)} to copy` : '';
  streams.stdout.write(`order ${name}: ${possible} of ${entries.length} artifacts can be transferred${sum}. Nothing was written.\n`);
  return entries.length > 0 && possible === entries.length;
}

function reasonOf({ phase = 'Pending', reason, message = '' }: OrderRun): string {
  if (phase === 'Succeeded') return 'ok';
  return [reason ?? phase, message.split('\n', 1)[0]].filter((part) => part !== undefined && part !== '').join(': ');
}

/** Also when the user has given up: what was made for the plan is not to stay. */
async function remove(client: KubeClient, { metadata: { namespace = '', name = '' } }: Order): Promise<void> {
  try {
    await client.delete(orders, { namespace, name }, { propagationPolicy: 'Background', signal: AbortSignal.timeout(removalMs) });
  } catch (error) {
    if (!isStatusReason(error, 'NotFound')) throw error;
  }
}
