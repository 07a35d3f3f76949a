import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { eventually } from '../process/eventually.ts';
import { findTool } from '../process/find-program.ts';
import { freePort } from '../process/free-port.ts';

/** On the PATH, or where `test/tools/kine/build.sh` puts what it builds. */
export function findKine(): string | undefined {
  return findTool('kine');
}

/** A kine over an SQLite file, on loopback. */
export interface KineServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`; the same after every `start`. */
  readonly host: string;
  /** Ends it by kill -9. */
  kill(): Promise<void>;
  /** Starts it again over the same file; resolves when it takes connections. */
  start(): Promise<void>;
}

/** Starts the given `kine` program with its file under `folder`. It compacts when it is told to, up to the newest revision. */
export async function startKine(program: string, folder: string): Promise<KineServer> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const file = join(folder, 'state.db');
  const endpoint = `sqlite://${file}?_journal_mode=WAL&_busy_timeout=30000&_synchronous=NORMAL&_txlock=immediate`;
  const flags = ['--listen-address', host, '--endpoint', endpoint, '--metrics-bind-address', '0', '--compact-min-retain', '0'];
  let child: ChildProcess | undefined;

  const server = {
    host,
    async start(): Promise<void> {
      const started = spawn(program, flags, { stdio: 'ignore' });
      child = started;
      await eventually(
        async () => {
          if (started.exitCode !== null) throw new Error(`kine ended with ${started.exitCode}`);
          const socket = connect(port, '127.0.0.1');
          await once(socket, 'connect');
          socket.destroy();
          return true;
        },
        { what: `kine on ${host}`, timeoutMs: 20_000, intervalMs: 20 },
      );
    },
    async kill(): Promise<void> {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const exited = once(running, 'exit');
      running.kill('SIGKILL');
      await exited;
    },
    [Symbol.asyncDispose]: () => server.kill(),
  };
  await server.start();
  return server;
}
