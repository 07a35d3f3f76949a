import { eventually } from '@arc/testkit';
import { startProgram, type Program } from './program.ts';

/** A running `arc-controller-manager`. */
export interface ControllerManager extends Omit<Program, 'says'> {
  /** What it answers at a path of its health address, `CODE TEXT`. */
  health(path: string): Promise<string>;
  /** Over plain HTTP. */
  metrics(): Promise<string>;
  metricsPort(): Promise<number>;
  /** Resolves when `/readyz` passes. */
  ready(): Promise<void>;
  /** Resolves when it says that its controllers work. */
  leads(): Promise<void>;
}

/** Starts one that serves health and, unless told otherwise, metrics over plain HTTP. */
export function startControllerManager(kubeconfig: string, args: readonly string[] = []): ControllerManager {
  const { says, ...program } = startProgram('controller-manager', [
    ...['--kubeconfig', kubeconfig, '--namespace', 'arc-system', '--metrics-secure=false'],
    ...['--health-probe-bind-address', '127.0.0.1:0', '--metrics-bind-address', '127.0.0.1:0', ...args],
  ]);
  const get = async (served: string, path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${String((await says(served))['port'])}${path}`);
    return `${response.status} ${await response.text()}`;
  };
  return {
    ...program,
    health: (path) => get('health is served', path),
    metrics: async () => (await get('metrics are served', '/metrics')).replace(/^200 /, ''),
    metricsPort: async () => Number((await says('metrics are served'))['port']),
    ready: async () => {
      await eventually(async () => (await get('health is served', '/readyz')) === '200 ok', { what: `readiness of\n${program.output()}` });
    },
    leads: async () => void (await says('controllers work')),
  };
}
