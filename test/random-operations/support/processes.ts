import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A process that may be killed and started again. */
interface Part {
  readonly child: ChildProcess;
  readonly exited: Promise<unknown>;
}

/** A server and controllers, each a process of its own, that write what they say into one file. */
export class Processes implements AsyncDisposable {
  readonly directory: string;
  #server: Part | undefined;
  #controllers: Part | undefined;
  #port = '0';

  constructor(directory: string) {
    this.directory = directory;
  }

  get kubeconfig(): string {
    return join(this.directory, 'kubeconfig');
  }

  /** All that was ever written by any of them. */
  async output(): Promise<string> {
    return await readFile(this.#logFile, 'utf8');
  }

  get #logFile(): string {
    return join(this.directory, 'processes.log');
  }

  async startServer(): Promise<void> {
    const { part, ready } = await this.#start('server-process.ts', [this.directory, this.#port]);
    this.#server = part;
    this.#port = new URL(ready).port;
  }

  async startControllers(): Promise<void> {
    this.#controllers = (await this.#start('controllers-process.ts', [this.directory])).part;
  }

  /** Starts what does not run. */
  async startAll(): Promise<void> {
    if (this.#server === undefined) await this.startServer();
    if (this.#controllers === undefined) await this.startControllers();
  }

  /** Ends it as `kill -9` does. */
  async killServer(): Promise<void> {
    const part = this.#server;
    this.#server = undefined;
    await kill(part);
  }

  async killControllers(): Promise<void> {
    const part = this.#controllers;
    this.#controllers = undefined;
    await kill(part);
  }

  /** @throws when one has ended that nobody has ended */
  assertAlive(): void {
    for (const [name, part] of [['server', this.#server] as const, ['controllers', this.#controllers] as const]) {
      const { exitCode, signalCode } = part?.child ?? { exitCode: null, signalCode: null };
      if (exitCode !== null || signalCode !== null) throw new Error(`the ${name} ended by itself with ${exitCode ?? signalCode}`);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.killControllers(), this.killServer()]);
  }

  async #start(module: string, args: readonly string[]): Promise<{ readonly part: Part; readonly ready: string }> {
    const log = openSync(this.#logFile, 'a');
    const child = spawn(process.execPath, [new URL(module, import.meta.url).pathname, ...args], { stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    const exited = once(child, 'exit');
    const ready = await Promise.race([
      once(child, 'message').then(([message]) => (message as { readonly ready: string }).ready),
      exited.then(([code, signal]) => Promise.reject(new Error(`${module} ended with ${code ?? signal} instead of starting`))),
    ]);
    return { part: { child, exited }, ready };
  }
}

async function kill(part: Part | undefined): Promise<void> {
  part?.child.kill('SIGKILL');
  await part?.exited;
}
