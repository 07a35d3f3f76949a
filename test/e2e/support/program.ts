import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '@arc/testkit';

/** A running program for clusters, which logs JSON lines on stderr. */
export interface Program extends AsyncDisposable {
  readonly pid: number;
  /** Its log so far. */
  output(): string;
  /** Resolves with the line that has this message. */
  says(message: string): Promise<Readonly<Record<string, unknown>>>;
  /** Sends a signal and resolves with the exit code, null when it was killed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts `apps/APP/bin/arc-APP.mjs`; nothing of its environment says where a cluster is.
 *
 * @param node arguments of Node itself
 */
export function startProgram(
  app: 'apiserver' | 'controller-manager',
  args: readonly string[],
  { node = [] }: { readonly node?: readonly string[] } = {},
): Program {
  const launcher = fileURLToPath(new URL(`../../../apps/${app}/bin/arc-${app}.mjs`, import.meta.url));
  const { KUBECONFIG: _kubeconfig, KUBERNETES_SERVICE_HOST: _host, ...env } = process.env;
  const child = spawn(process.execPath, [...node, launcher, ...args], { env, stdio: ['ignore', 'inherit', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const stop = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> => {
    if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    output: () => output,
    says: (message) =>
      eventually(
        () => {
          if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}:\n${output}`);
          const line = output.split('\n').find((each) => each.includes(`"message":"${message}"`));
          return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
        },
        { what: `"${message}" in\n${output}`, timeoutMs: 40_000 },
      ),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
