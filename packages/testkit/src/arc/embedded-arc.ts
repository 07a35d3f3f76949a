import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const launcher = fileURLToPath(new URL('../../../../apps/arcctl/bin/arcctl.mjs', import.meta.url));

export interface EmbeddedArcOptions {
  readonly dataDir: string;
  readonly listen?: string;
  readonly storage?: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly timeoutMs?: number;
  /** The program and leading arguments, instead of `arcctlCommand`. */
  readonly command?: readonly [string, ...string[]];
}

/** A running `arcctl up`, as a user would have started it. */
export interface EmbeddedArc extends AsyncDisposable {
  readonly pid: number;
  readonly server: string;
  readonly kubeconfig: string;
  /** Everything printed so far, both streams. */
  output(): string;
  /** Sends a signal and resolves with the exit code (null after a signal that killed it). */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** The program and leading arguments that run `arcctl` on this Node. */
export const arcctlCommand: readonly [string, ...string[]] = [process.execPath, launcher];

/** Starts `arcctl up` and resolves when it has said that it is ready. */
export async function startEmbeddedArc(options: EmbeddedArcOptions): Promise<EmbeddedArc> {
  const args = ['up', '--data-dir', options.dataDir, '--listen', options.listen ?? '127.0.0.1:0'];
  if (options.storage !== undefined) args.push('--storage', options.storage);
  const [program, ...leading] = options.command ?? arcctlCommand;
  const child = spawn(program, [...leading, ...args, ...(options.args ?? [])], {
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = collectOutput(child);
  const ready = await whenReady(child, output, options.timeoutMs ?? 30_000);
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    ...ready,
    output,
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}

function collectOutput(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (chunk: string) => {
      text += chunk;
    });
  }
  return () => text;
}

function whenReady(child: ChildProcess, output: () => string, timeoutMs: number): Promise<{ server: string; kubeconfig: string }> {
  return new Promise((resolve, reject) => {
    const fail = (why: string): void => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`arcctl up ${why}; it printed:\n${output()}`));
    };
    const timer = setTimeout(() => fail(`was not ready after ${timeoutMs} ms`), timeoutMs);
    child.on('exit', (code) => fail(`ended with code ${code} before it was ready`));
    child.stdout?.on('data', () => {
      const match = /^ARC is ready at (?<server>\S+), kubeconfig (?<kubeconfig>.+)$/m.exec(output());
      if (match?.groups === undefined) return;
      clearTimeout(timer);
      child.removeAllListeners('exit');
      resolve({ server: match.groups['server'] ?? '', kubeconfig: match.groups['kubeconfig'] ?? '' });
    });
  });
}
