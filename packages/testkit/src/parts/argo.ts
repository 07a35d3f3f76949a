import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { collect } from '../process/collect.ts';
import { eventually } from '../process/eventually.ts';
import { findBuilt, findTool } from '../process/find-program.ts';

type ArgoProgram = 'workflow-controller' | 'argo';

/** The custom resource definitions one release of Argo publishes, as files `argoproj.io_<plural>.yaml`. */
export interface ArgoDefinitions {
  /** For example `v4.0.5`. */
  readonly version: string;
  /** With the whole schemas. */
  readonly full: string;
  /** Without. */
  readonly minimal: string;
}

/** Of every line of Argo whose definitions are on this machine; empty when there are none. */
export function argoDefinitions(): readonly ArgoDefinitions[] {
  const folder = findBuilt('argo/definitions');
  if (folder === undefined) return [];
  return readdirSync(folder)
    .sort()
    .map((version) => ({ version, full: join(folder, version, 'full'), minimal: join(folder, version, 'minimal') }));
}

/** Why what needs published definitions cannot run; undefined when it can. */
export function missingArgoDefinitions(): string | undefined {
  return argoDefinitions().length > 0 ? undefined : 'no definitions of Argo on this machine: test/tools/argo/build.sh fetches them with Go';
}

/** A program of Argo, on the PATH or as `test/tools/argo/build.sh` builds it. */
export function findArgoProgram(name: ArgoProgram): string | undefined {
  return findTool(`argo/${name}`);
}

/** Why these cannot be started; undefined when they can. */
export function missingArgo(...names: readonly ArgoProgram[]): string | undefined {
  const missing = names.filter((name) => findArgoProgram(name) === undefined);
  return missing.length === 0 ? undefined : `no ${missing.join(', ')} on this machine: test/tools/argo/build.sh builds it with Go`;
}

export interface WorkflowControllerOptions {
  /** Where its ConfigMap `workflow-controller-configmap` is. */
  readonly namespace: string;
  /** Further command line arguments. */
  readonly args?: readonly string[];
}

/** Argo's workflow-controller, as a process of its own. */
export interface WorkflowController extends AsyncDisposable {
  readonly pid: number;
  /** What it printed last. */
  readonly output: string;
  /** Ends it by kill -9. */
  kill(): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
}

/** Starts a workflow-controller as the user of a kubeconfig. It looks again at what it waits for ten times a second. */
export async function startWorkflowController(
  kubeconfig: string,
  { namespace, args = [] }: WorkflowControllerOptions,
): Promise<WorkflowController> {
  const program = findArgoProgram('workflow-controller');
  if (program === undefined) throw new Error(missingArgo('workflow-controller'));
  // Its health and metrics have ports of their own.
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    ARGO_NAMESPACE: namespace,
    LEADER_ELECTION_DISABLE: 'true',
    DEFAULT_REQUEUE_TIME: '100ms',
    RECENTLY_STARTED_POD_DURATION: '100ms',
    RECENTLY_DELETED_POD_DURATION: '100ms',
    CRON_SYNC_PERIOD: '200ms',
    WORKFLOW_GC_PERIOD: '1s',
    // Without it, a second passes after every write.
    INFORMER_WRITE_BACK: 'true',
  };
  let child: ReturnType<typeof spawn> | undefined;
  let output: { readonly text: string } = { text: '' };
  const controller: WorkflowController = {
    get pid() {
      return child?.pid ?? 0;
    },
    get output() {
      return output.text;
    },
    async start() {
      const started = spawn(program, ['--namespace', namespace, '--executor-image', 'argoexec', '--loglevel', 'info', ...args], {
        env,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child = started;
      output = collect(started);
      const ready = await eventually(() => started.exitCode ?? (output.text.includes('Current Worker Numbers') && 'ready'), {
        what: 'workflow-controller',
        intervalMs: 20,
      });
      if (ready !== 'ready') throw new Error(`workflow-controller ended with ${ready}: ${output.text}`);
    },
    async kill() {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const exited = once(running, 'exit');
      running.kill('SIGKILL');
      await exited;
    },
    [Symbol.asyncDispose]: () => controller.kill(),
  };
  await controller.start();
  return controller;
}
