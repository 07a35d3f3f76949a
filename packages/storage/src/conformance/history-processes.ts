import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { HistoryOrder, HistoryReport, HistoryStart } from './history-process.ts';
import type { Recorded, RecordedWrite } from './recorded-history.ts';

const program = fileURLToPath(new URL('history-process.ts', import.meta.url));

export interface ProcessOptions extends Omit<HistoryStart, 'name' | 'origin'> {
  /** How many of the processes are killed, all at the same moment, when each of them has done half of its share; default 0. */
  readonly killed?: number;
}

/**
 * Runs random operations in one process for each address, all at the same time, and joins what they recorded. A write whose
 * process was killed before it was answered has an unknown outcome.
 *
 * @param module of the URL of one that exports `openShared`
 */
export async function recordInProcesses(
  module: URL,
  addresses: readonly string[],
  { killed = 0, ...options }: ProcessOptions,
): Promise<readonly Recorded[]> {
  const children = addresses.map((address) => new HistoryProcess({ module: module.href, address }));
  try {
    await Promise.all(children.map((child) => child.ready));
    const origin = process.hrtime.bigint();
    const operations = options.operations / children.length;
    for (const [index, child] of children.entries()) {
      child.start({ ...options, operations, origin, name: `p${index}`, seed: options.seed + index * options.clients });
    }
    const victims = children.slice(0, killed);
    await Promise.all(victims.map((victim) => victim.recordedMore(operations / 2)));
    for (const victim of victims) victim.kill();
    await Promise.all(children.map((child) => child.ended));
    return children.flatMap((child) => child.record());
  } finally {
    for (const child of children) child.kill();
  }
}

class HistoryProcess {
  /** When its store is open. */
  readonly ready: Promise<void>;
  /** When it has done all, or was killed and everything it had said has arrived. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  readonly #recorded: Recorded[] = [];
  readonly #unanswered = new Map<string, RecordedWrite>();
  #isKilled = false;
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;

  constructor(order: HistoryOrder) {
    const ready = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    this.ready = ready.promise;
    this.ended = ended.promise;
    this.ended.catch(() => {});
    // Maps and big integers cross as they are.
    this.#child = fork(program, { serialization: 'advanced' });
    this.#child.on('message', (report: HistoryReport) => {
      if (report.kind === 'ready') ready.resolve();
      else if (report.kind === 'done') ended.resolve();
      else this.#take(report);
    });
    this.#child.on('disconnect', () => {
      if (this.#isKilled) ended.resolve();
      const failure = new Error('a process of the history ended before it was done');
      ready.reject(failure);
      ended.reject(failure);
    });
    this.#child.send(order);
  }

  start(message: HistoryStart): void {
    this.#child.send(message);
  }

  /** Resolves when it has recorded more than `count` operations. */
  async recordedMore(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve };
    await Promise.race([promise, this.ended]);
  }

  record(): readonly Recorded[] {
    return [...this.#recorded, ...this.#unanswered.values()];
  }

  kill(): void {
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
  }

  #take(report: Extract<HistoryReport, { kind: 'intended' | 'recorded' }>): void {
    if (report.kind === 'intended') {
      for (const write of report.writes) this.#unanswered.set(idOf(write), write);
      return;
    }
    const { operation } = report;
    if (operation.kind === 'write') this.#unanswered.delete(idOf(operation));
    this.#recorded.push(operation);
    if (this.#waiting !== undefined && this.#recorded.length > this.#waiting.count) this.#waiting.resolve();
  }
}

function idOf({ key, began }: RecordedWrite): string {
  return `${began} ${key}`;
}
