import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { messageOf } from '@arc/kernel';
import { StorageError } from '@arc/storage';
import type { CallName, Calls, DatabaseOptions, Failure, Opened, Reply } from './protocol.ts';

interface Pending {
  readonly name: CallName | 'open';
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface CallOptions {
  /** Buffers that move to the thread. */
  readonly transfer?: readonly ArrayBuffer[];
  readonly signal?: AbortSignal | undefined;
}

/** The thread that owns the database file. Calls are answered in the order they are made. */
export class DatabaseThread {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #onDoubt: (revision: number) => void;
  #lastId = 0;
  #ended: StorageError | undefined;

  /** `onDoubt` is told the newest revision whenever a failed commit had to be looked up in the file. */
  constructor(options: DatabaseOptions, onDoubt: (revision: number) => void) {
    this.#onDoubt = onDoubt;
    this.#worker = new Worker(new URL('./start-worker.mjs', import.meta.url), {
      workerData: { ...options, compileCache: compileCacheFolder() },
      name: 'arc-sqlite',
    });
    this.#worker.on('message', (reply: Reply) => this.#settle(reply));
    this.#worker.on('error', (error) => this.#end(`the database thread for ${options.file} failed: ${messageOf(error)}`));
    this.#worker.on('exit', () => this.#end(`the database thread for ${options.file} has ended`));
  }

  opened(signal?: AbortSignal): Promise<Opened> {
    return new Promise<Opened>((resolve, reject) => this.#register(0, { name: 'open', resolve, reject }, signal));
  }

  call<Name extends CallName>(name: Name, args: Calls[Name]['args'], options: CallOptions = {}): Promise<Calls[Name]['reply']> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      const id = ++this.#lastId;
      if (!this.#register(id, { name, resolve, reject }, options.signal)) return;
      this.#worker.postMessage({ id, name, args }, options.transfer);
    });
  }

  /** @throws StorageError `Unavailable` once the thread has ended */
  assertRunning(): void {
    if (this.#ended !== undefined) throw this.#ended;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #register(id: number, pending: Pending, signal: AbortSignal | undefined): boolean {
    if (signal === undefined) {
      this.#pending.set(id, pending);
      return true;
    }
    if (signal.aborted) {
      pending.reject(signal.reason);
      return false;
    }
    const onAbort = (): void => {
      this.#pending.delete(id);
      pending.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const forget = (): void => signal.removeEventListener('abort', onAbort);
    this.#pending.set(id, {
      name: pending.name,
      resolve: (value) => {
        forget();
        pending.resolve(value);
      },
      reject: (error) => {
        forget();
        pending.reject(error);
      },
    });
    return true;
  }

  #settle(reply: Reply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ('failure' in reply) {
      if (reply.failure.revision !== undefined) this.#onDoubt(reply.failure.revision);
      pending?.reject(storageError(reply.failure));
      return;
    }
    // The thread answers each call with the reply of its name.
    pending?.resolve(('opened' in reply ? reply.opened : reply.value) as never);
  }

  #end(message: string): void {
    this.#ended ??= new StorageError('Unavailable', message, { hint: 'Restart the server.' });
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { name, reject } of pending) {
      reject(name === 'commit' ? new StorageError('OutcomeUnknown', message, { cause: this.#ended }) : this.#ended);
    }
  }
}

function storageError({ code, message, hint }: Failure): StorageError {
  return new StorageError(code, message, hint === undefined ? {} : { hint });
}

/** What `enableCompileCache` was called with; it keeps a folder for each version of Node in it. */
function compileCacheFolder(): string | undefined {
  const folder = getCompileCacheDir();
  return folder === undefined ? undefined : dirname(folder);
}
