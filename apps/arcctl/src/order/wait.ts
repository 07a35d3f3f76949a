import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { createProgressDisplay, exitCodes, formatBytes, styleFor } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { anySignal, ArcError, formatAge } from '@arc/kernel';
import type { KubeClient, ObjectRef } from '@arc/kube-client';
import type { Invocation } from '../command.ts';
import { followObject } from './follow-object.ts';
import { isFailure, isFinished, progressOf, runLabel, unreadinessOf } from './order-progress.ts';

export interface WaitOptions {
  readonly showProgress: boolean;
  readonly timeoutMs?: number | undefined;
  /** When an Order counts as finished; default: when its status says so for its present spec. */
  readonly until?: (order: Order) => boolean;
}

/**
 * Blocks until every Order has finished and prints a summary of each.
 *
 * @returns 0 when all succeeded
 * @throws ArcError `OrderFailed`, `OrderDeleted`, `Timeout`, `Interrupted`
 */
export async function waitForOrders(
  invocation: Invocation,
  client: KubeClient,
  refs: readonly ObjectRef[],
  options: WaitOptions,
): Promise<ExitCode> {
  const { streams, clock } = invocation;
  if (refs.length === 0) {
    streams.stderr.write('No Order to wait for.\n');
    return exitCodes.ok;
  }
  const current = new Map<string, Order>();
  const finished: Order[] = [];
  {
    using display = options.showProgress ? createProgressDisplay(streams.stderr, clock) : undefined;
    using deadline = startDeadline(invocation, options.timeoutMs, () => describePending(refs, current));
    const failed = new AbortController();
    const signal = anySignal(deadline.signal, failed.signal);
    const one = async (ref: ObjectRef): Promise<void> => {
      try {
        finished.push(await finishOf(ref));
      } catch (error) {
        failed.abort(error);
        throw error;
      }
    };
    const note = (text: string): void => (display === undefined ? streams.stderr.write(`${text}\n`) : display.note(text));
    const finishOf = async (ref: ObjectRef): Promise<Order> => {
      let told: string | undefined;
      for await (const order of followObject<Order>(client, orders, ref, {
        clock,
        signal,
        onInterruption: (error) => note(interruptionText(error)),
      })) {
        if (order === undefined) throw deletedError(ref);
        current.set(keyOf(ref), order);
        const unreadiness = unreadinessOf(order);
        if (unreadiness !== undefined && unreadiness !== told) note(`${unreadiness}; the Order tries all the same.`);
        told = unreadiness;
        display?.update([...current.values()].flatMap((shown) => progressOf(shown, refs.length > 1)));
        if ((options.until ?? isFinished)(order)) return order;
      }
      throw deletedError(ref);
    };
    await Promise.all(refs.map(one));
  }
  for (const order of finished) printSummary(invocation, order);
  failIfAnyFailed(finished);
  return exitCodes.ok;
}

function interruptionText(error: ArcError | undefined): string {
  return error === undefined ? 'The server answers again.' : `${error.message}; trying again, the Order goes on by itself.`;
}

/** Aborts when the time is up or the user interrupts, with an error that says what was still going on. */
function startDeadline(
  invocation: Invocation,
  timeoutMs: number | undefined,
  describe: () => string,
): Disposable & { readonly signal: AbortSignal } {
  const { clock, signal } = invocation;
  const controller = new AbortController();
  const onInterrupt = (): void => {
    controller.abort(
      new ArcError('Interrupted', `stopped waiting: ${describe()}`, {
        hint: 'The Order goes on by itself; look at it again with arcctl order watch.',
      }),
    );
  };
  signal.addEventListener('abort', onInterrupt, { once: true });
  if (signal.aborted) onInterrupt();
  const timer =
    timeoutMs === undefined
      ? undefined
      : clock.after(timeoutMs, () =>
          controller.abort(
            new ArcError('Timeout', `not finished after ${String(invocation.options['timeout'])}: ${describe()}`, {
              hint: 'The Order goes on by itself; look at it again with arcctl order watch.',
            }),
          ),
        );
  // The timer alone would not keep the process alive while a connection is being retried.
  const keepAlive = setInterval(() => {}, 1 << 30);
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      timer?.[Symbol.dispose]();
      clearInterval(keepAlive);
      signal.removeEventListener('abort', onInterrupt);
    },
  };
}

function describePending(refs: readonly ObjectRef[], current: ReadonlyMap<string, Order>): string {
  return refs
    .map((ref) => ({ ref, order: current.get(keyOf(ref)) }))
    .filter(({ order }) => order === undefined || !isFinished(order))
    .map(({ ref, order }) => {
      const { phase = 'Pending', message = '' } = order?.status ?? {};
      return `order ${keyOf(ref)} is ${phase}${message === '' ? '' : ` (${message})`}`;
    })
    .join(', ');
}

function printSummary({ streams }: Invocation, order: Order): void {
  const style = styleFor(streams.stdout);
  const runs = Object.values(order.status?.artifactWorkflows ?? {});
  const scheduled = runs.filter(({ phase }) => phase === 'Active').length;
  const items = progressOf(order, false).filter(({ state }) => state !== 'running');
  const succeeded = items.filter(({ state }) => state === 'succeeded');
  const bytes = succeeded.reduce((sum, { totalBytes = 0 }) => sum + totalBytes, 0);
  const phase = order.status?.phase ?? '';
  const next = order.status?.nextScheduled;
  const facts = [
    ...(scheduled === 0 ? [] : [`${scheduled} scheduled${next === undefined ? '' : `, next at ${next}`}`]),
    ...(items.length === 0 && scheduled > 0
      ? []
      : [
          `${succeeded.length} of ${items.length} ${items.length === 1 ? 'artifact' : 'artifacts'} ${order.spec?.dryRun === true ? 'checked (dry run)' : 'delivered'}`,
        ]),
    ...(bytes > 0 ? [formatBytes(bytes)] : []),
    ...(scheduled > 0 ? [] : durationOf(order)),
  ];
  const heading = phase === 'Succeeded' ? style.green(phase) : phase === 'Active' ? phase : style.red(phase);
  streams.stdout.write(`order ${order.metadata.namespace}/${order.metadata.name}: ${heading}, ${facts.join(', ')}\n`);
}

/** From the creation of the Order to the end of its last run, as the server saw them. */
function durationOf(order: Order): string[] {
  const ends = Object.values(order.status?.artifactWorkflows ?? {}).map(({ completionTime, failureTime }) =>
    Date.parse(completionTime ?? failureTime ?? ''),
  );
  const ms = Math.max(...ends) - Date.parse(order.metadata.creationTimestamp ?? '');
  return Number.isFinite(ms) && ms >= 0 ? [`in ${formatAge(ms)}`] : [];
}

function failIfAnyFailed(finished: readonly Order[]): void {
  const failed = finished.filter(
    ({ status }) => status?.phase === 'Failed' || Object.values(status?.artifactWorkflows ?? {}).some(isFailure),
  );
  const [first] = failed;
  if (first === undefined) return;
  const { name = '', namespace = '' } = first.metadata;
  throw new ArcError('OrderFailed', failed.map(describeFailure).join('\n'), {
    hint: `Read the logs with arcctl logs ${name}${namespace === 'default' ? '' : ` -n ${namespace}`}`,
    details: { orders: failed.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`) },
  });
}

function describeFailure(order: Order): string {
  const artifacts = order.spec?.artifacts ?? [];
  const runs = Object.values(order.status?.artifactWorkflows ?? {}).filter(
    (run) => run.phase !== 'Succeeded' && (run.phase !== 'Active' || isFailure(run)),
  );
  const lines = runs
    .toSorted((a, b) => a.artifactIndex - b.artifactIndex)
    .map((run) => {
      const { artifactIndex, phase = 'Pending', reason, message } = run;
      const why = [reason, message].filter((part) => part !== undefined && part !== '').join(': ');
      return `  ${runLabel(artifacts[artifactIndex], run)}: ${phase}${why === '' ? '' : `, ${why}`}`;
    });
  const heading = `order ${order.metadata.namespace}/${order.metadata.name} failed${lines.length === 0 ? `: ${order.status?.message ?? 'no reason given'}` : ':'}`;
  return [heading, ...lines].join('\n');
}

function deletedError(ref: ObjectRef): ArcError {
  return new ArcError('OrderDeleted', `order ${keyOf(ref)} was deleted before it had finished`);
}

function keyOf({ namespace = '', name }: ObjectRef): string {
  return `${namespace}/${name}`;
}
