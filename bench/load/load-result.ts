import { Turns, type Pace, type Turn } from './clock.ts';
import type { Connection } from './connection.ts';

/** What came of a load. */
export interface LoadResult {
  /** One for each request, in order of completion. */
  readonly latenciesMs: Float64Array;
  readonly elapsedMs: number;
  /** Body bytes received. */
  readonly bytes: number;
  /** CPU time the load process itself took. */
  readonly loadCpuMs: number;
}

/** Requests answered per second; NaN when there were none: a load that had nothing to do shows nothing. */
export function rateOf({ latenciesMs, elapsedMs }: Pick<LoadResult, 'latenciesMs' | 'elapsedMs'>): number {
  return latenciesMs.length === 0 ? Number.NaN : (latenciesMs.length / elapsedMs) * 1000;
}

/** Lets each connection take turns until there are none left, and measures each turn. */
export async function measureTurns(
  connections: readonly Connection[],
  pace: Pace,
  request: (connection: Connection, turn: Turn, worker: number) => Promise<number>,
): Promise<LoadResult> {
  const latencies: number[] = [];
  let bytes = 0;
  const cpu = process.cpuUsage();
  const started = performance.now();
  const turns = new Turns(pace);
  const work = async (connection: Connection, worker: number): Promise<void> => {
    for (let turn = await turns.take(); turn !== undefined; turn = await turns.take()) {
      bytes += await request(connection, turn, worker);
      latencies.push(performance.now() - turn.began);
    }
  };
  await Promise.all(connections.map(work));
  const { user, system } = process.cpuUsage(cpu);
  return {
    latenciesMs: Float64Array.from(latencies),
    elapsedMs: performance.now() - started,
    bytes,
    loadCpuMs: (user + system) / 1000,
  };
}
