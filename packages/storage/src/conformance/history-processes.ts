import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { HistoryOrder, HistoryReport, HistoryStart } from './history-process.ts';
import type { Recorded } from './recorded-history.ts';

const program = fileURLToPath(new URL('history-process.ts', import.meta.url));

/**
 * Runs random operations in one process for each address, all at the same time, and joins what they recorded.
 *
 * @param module of the URL of one that exports `openShared`
 */
export async function recordInProcesses(
  module: URL,
  addresses: readonly string[],
  options: Omit<HistoryStart, 'name' | 'origin'>,
): Promise<readonly Recorded[]> {
  const children = addresses.map((address) => new HistoryProcess({ module: module.href, address }));
  try {
    await Promise.all(children.map((child) => child.report()));
    const origin = process.hrtime.bigint();
    const operations = options.operations / children.length;
    for (const [index, child] of children.entries()) {
      child.start({ ...options, operations, origin, name: `p${index}`, seed: options.seed + index * options.clients });
    }
    const reports = await Promise.all(children.map((child) => child.report()));
    return reports.flatMap((report) => ('recorded' in report ? report.recorded : []));
  } finally {
    for (const child of children) child.end();
  }
}

class HistoryProcess {
  readonly #child: ChildProcess;

  constructor(order: HistoryOrder) {
    // Maps and big integers cross as they are.
    this.#child = fork(program, { serialization: 'advanced' });
    this.#child.send(order);
  }

  start(message: HistoryStart): void {
    this.#child.send(message);
  }

  /** What it says next. */
  async report(): Promise<HistoryReport> {
    const stop = new AbortController();
    const { signal } = stop;
    const exited = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`a process of the history ended with ${code}`);
    });
    const said = once(this.#child, 'message', { signal }).then(([report]) => report as HistoryReport);
    exited.catch(() => {});
    said.catch(() => {});
    try {
      return await Promise.race([said, exited]);
    } finally {
      stop.abort();
    }
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }
}
