import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { eventually } from '@arc/testkit';

const launcher = fileURLToPath(new URL('../../../apps/controller-manager/bin/arc-controller-manager.mjs', import.meta.url));

/** A running `arc-controller-manager`. */
export interface ControllerManager extends AsyncDisposable {
  readonly pid: number;
  /** Its log so far. */
  output(): string;
  /** What it answers at a path of its health address, `CODE TEXT`. */
  health(path: string): Promise<string>;
  metrics(): Promise<string>;
  /** Resolves when `/readyz` passes. */
  ready(): Promise<void>;
  /** Resolves when it says that its controllers work. */
  leads(): Promise<void>;
  /** Sends a signal and resolves with the exit code, null when it was killed. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts one that serves health and metrics over plain HTTP; nothing of its environment says where a cluster is. */
export function startControllerManager(kubeconfig: string, args: readonly string[] = []): ControllerManager {
  const { KUBECONFIG: _kubeconfig, KUBERNETES_SERVICE_HOST: _host, ...env } = process.env;
  const child = spawn(
    process.execPath,
    [
      ...[launcher, '--kubeconfig', kubeconfig, '--namespace', 'arc-system', '--metrics-secure=false'],
      ...['--health-probe-bind-address', '127.0.0.1:0', '--metrics-bind-address', '127.0.0.1:0', ...args],
    ],
    { env, stdio: ['ignore', 'inherit', 'pipe'] },
  );
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const says = (message: string): Promise<Record<string, unknown>> =>
    eventually(
      () => {
        if (child.exitCode !== null) throw new Error(`it ended with code ${child.exitCode}:\n${output}`);
        const line = output.split('\n').find((each) => each.includes(`"message":"${message}"`));
        return line === undefined ? undefined : (JSON.parse(line) as Record<string, unknown>);
      },
      { what: `"${message}" in\n${output}`, timeoutMs: 40_000 },
    );
  const get = async (served: string, path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${String((await says(served))['port'])}${path}`);
    return `${response.status} ${await response.text()}`;
  };
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
    health: (path) => get('health is served', path),
    metrics: async () => (await get('metrics are served', '/metrics')).replace(/^200 /, ''),
    ready: async () => {
      await eventually(async () => (await get('health is served', '/readyz')) === '200 ok', { what: `readiness of\n${output}` });
    },
    leads: async () => void (await says('controllers work')),
    stop,
    [Symbol.asyncDispose]: async () => void (await stop()),
  };
}
