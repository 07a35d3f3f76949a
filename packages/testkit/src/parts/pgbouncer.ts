import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { collect } from '../process/collect.ts';
import { freePort } from '../process/free-port.ts';
import { findProgram } from '../process/find-program.ts';
import type { PostgresServer } from './postgres.ts';
import { unprivilegedUser } from './unprivileged-user.ts';

export interface PgBouncerOptions {
  /** Further settings, as in the section [pgbouncer] of pgbouncer.ini. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** PgBouncer in transaction mode on loopback, in front of one server. */
export interface PgBouncer extends AsyncDisposable {
  /** The same after every `start`. */
  readonly port: number;
  /** Ends it by kill -9. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** The program, also where only administrators look; undefined when there is none. */
function pgBouncerProgram(): string | undefined {
  return findProgram('pgbouncer', [process.env['PATH'], '/usr/sbin'].join(delimiter));
}

/** Why PgBouncer cannot be started; undefined when it can. */
export function missingPgBouncer(): string | undefined {
  return pgBouncerProgram() === undefined ? 'needs the program pgbouncer (Debian: apt install pgbouncer)' : undefined;
}

/** Starts Debian's `pgbouncer`, which lets the superuser of the server into every database without a password. */
export async function startPgBouncer(server: PostgresServer, options: PgBouncerOptions = {}): Promise<PgBouncer> {
  const program = pgBouncerProgram();
  if (program === undefined) throw new Error(missingPgBouncer());
  const folder = mkdtempSync(join(tmpdir(), 'arc-pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const settings = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: '',
    auth_type: 'trust',
    auth_file: join(folder, 'users'),
    pool_mode: 'transaction',
    // Fewer than clients, so that each transaction may come to another connection of the server.
    default_pool_size: '4',
    ...options.settings,
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`);
  const file = join(folder, 'pgbouncer.ini');
  writeFileSync(file, `[databases]\n* = host=${server.host} port=${server.port}\n[pgbouncer]\n${lines.join('')}`);
  writeFileSync(settings.auth_file, `"${server.user}" ""\n`);
  let child: ChildProcess | undefined;

  const bouncer: PgBouncer = {
    port,
    async start() {
      const started = spawn(program, [file], { stdio: ['ignore', 'ignore', 'pipe'], ...unprivilegedUser('PgBouncer') });
      child = started;
      const output = collect(started);
      const ended = once(started, 'close').then(() => {
        throw new Error(`PgBouncer did not start: ${output.text}`);
      });
      ended.catch(() => {});
      await Promise.race([output.until('process up'), ended]);
    },
    async kill() {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const closed = once(running, 'close');
      running.kill('SIGKILL');
      await closed;
    },
    async [Symbol.asyncDispose]() {
      await this.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  try {
    await bouncer.start();
    return bouncer;
  } catch (error) {
    await bouncer[Symbol.asyncDispose]();
    throw error;
  }
}
