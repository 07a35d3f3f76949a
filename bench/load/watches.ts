import { nowMicros } from './clock.ts';
import { openConnections, type DisposableConnections } from './connection.ts';
import { sentDigits, sentMarker } from './object-template.ts';
import type { Target } from './target.ts';

export interface WatchLoad {
  readonly target: Target;
  /** A collection with `watch=true` and what else is wanted. */
  readonly path: string;
  readonly watchers: number;
}

export interface Deliveries {
  /** From the moment the writer handed its request over to the moment a watcher had the event. */
  readonly latenciesMs: Float64Array;
  /** Bytes of events since the watches were opened. */
  readonly bytes: number;
  readonly loadCpuMs: number;
}

/** Open watches whose events are found by the time written into them, without parsing anything else. */
export class Watches implements Disposable {
  readonly #connections: DisposableConnections;
  readonly #marker = Buffer.from(sentMarker);
  #latencies: number[] = [];
  #bytes = 0;
  #cpu = process.cpuUsage();
  #ended: Error | undefined;

  static async open({ target, path, watchers }: WatchLoad): Promise<Watches> {
    const connections = await openConnections(target, watchers);
    const watches = new Watches(connections);
    watches.#start(path);
    return watches;
  }

  private constructor(connections: DisposableConnections) {
    this.#connections = connections;
  }

  /** What was delivered since the last time; what is delivered late counts for the next. @throws Error when a watch ended */
  take(): Deliveries {
    if (this.#ended !== undefined) throw this.#ended;
    const { user, system } = process.cpuUsage(this.#cpu);
    const taken = { latenciesMs: Float64Array.from(this.#latencies), bytes: this.#bytes, loadCpuMs: (user + system) / 1000 };
    this.#latencies = [];
    this.#bytes = 0;
    this.#cpu = process.cpuUsage();
    return taken;
  }

  get delivered(): number {
    return this.#latencies.length;
  }

  [Symbol.dispose](): void {
    this.#connections[Symbol.dispose]();
  }

  #start(path: string): void {
    for (const connection of this.#connections.connections) {
      connection.send(connection.head({ method: 'GET', path }), '', { onPart: this.#reader() }).then(
        () => (this.#ended ??= new Error('the server ended a watch')),
        (error: Error) => (this.#ended ??= error),
      );
    }
  }

  #reader(): (part: Buffer) => void {
    const needed = this.#marker.length + sentDigits;
    let rest: Buffer = Buffer.alloc(0);
    return (part) => {
      this.#bytes += part.length;
      const data = rest.length === 0 ? part : Buffer.concat([rest, part]);
      let from = 0;
      for (let at = data.indexOf(this.#marker); at >= 0 && at + needed <= data.length; at = data.indexOf(this.#marker, from)) {
        from = at + needed;
        this.#latencies.push((nowMicros() - Number(data.toString('latin1', at + this.#marker.length, from))) / 1000);
      }
      // Shorter than a whole time, so that none is found twice.
      rest = Buffer.from(data.subarray(Math.max(from, data.length - needed + 1)));
    };
  }
}
