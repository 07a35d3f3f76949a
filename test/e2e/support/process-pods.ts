import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { Readable } from 'node:stream';
import type { Template, Volume, Workflow } from '@arc/api/argo';
import { buildAttempt, createLogStore, createProcessRunner } from '@arc/workflows';
import { nodeNameOf, templateOf } from './fake-kubelet.ts';
import type { PodScript } from './fake-kubelet.ts';

/** Pods whose main containers run as processes of this machine. */
export interface ProcessPods extends AsyncDisposable {
  readonly script: PodScript;
}

const worker = fileURLToPath(new URL('../../../apps/worker/bin/arc-worker.mjs', import.meta.url));

/** Runs what the templates in pods say with the runner of the embedded engine, with the Secrets the pods mount. */
export async function processPods(folder: string): Promise<ProcessPods> {
  const logs = createLogStore(join(folder, 'logs'));
  const runner = await createProcessRunner({
    ...{ directory: join(folder, 'runs'), logs, path: process.env['PATH'] ?? '' },
    images: { 'ghcr.io/opendefensecloud/arc-worker': { command: [process.execPath, worker], program: 'arc-worker' } },
  });
  return {
    async script(_step, pod, client) {
      const [owner] = pod.metadata.ownerReferences ?? [];
      const { namespace = '', name: podName = '' } = pod.metadata;
      const workflowUid = owner?.uid ?? '';
      const nodeId = pod.metadata.annotations?.['workflows.argoproj.io/node-id'] ?? '';
      const seen = await runner.observe({ workflowUid, nodeId });
      if (seen.state === 'running') return undefined;
      if (seen.state === 'ended') {
        const { exitCode, outputs } = seen.result;
        return { exitCode, outputs, log: await text(Readable.from(logs.openLog({ namespace, pod: podName }))) };
      }
      const workflow: Workflow = {
        ...{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow' },
        metadata: { name: owner?.name ?? '', namespace, uid: workflowUid },
        spec: {},
      };
      const plan = {
        ...{ nodeId, podName, nodeName: nodeNameOf(pod), captureResult: false },
        template: templateOf(pod) as Template,
        volumes: (pod.spec?.volumes ?? []) as unknown as readonly Volume[],
      };
      const context = { client, workflow, spec: {}, hostName: runner.hostName, signal: AbortSignal.timeout(10_000) };
      await runner.start(await buildAttempt(plan, context));
      return undefined;
    },
    [Symbol.asyncDispose]: () => runner[Symbol.asyncDispose](),
  };
}
