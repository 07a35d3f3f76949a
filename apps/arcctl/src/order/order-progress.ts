import type { Artifact, Order, OrderRun } from '@arc/api/arc';
import { hasFailed, isFinishedPhase, lastRunFailed } from '@arc/api/arc';
import type { ProgressItem, ProgressState } from '@arc/cli-kit';

/** True when the Order has come to an end, but for its schedules, and its status speaks of the present spec. */
export function isFinished(order: Order): boolean {
  const { phase, observedGeneration } = order.status ?? {};
  const isCurrent = observedGeneration === undefined || observedGeneration >= (order.metadata.generation ?? 0);
  return isCurrent && (phase === 'Succeeded' || phase === 'Failed' || phase === 'Active');
}

/** What an Order says of Endpoints it uses that are not ready; undefined while there is nothing to say. */
export function unreadinessOf({ status }: Order): string | undefined {
  const condition = status?.conditions?.find(({ type }) => type === 'EndpointsReady');
  return condition?.status === 'False' ? condition.message : undefined;
}

/** True when a run did not deliver, or the last one of a schedule did not. */
export function isFailure({ phase, reason }: OrderRun): boolean {
  return hasFailed(phase) || (phase === 'Active' && reason === lastRunFailed);
}

/** One item for each run of the Order, in the order of its artifacts; the artifacts themselves before there are runs. */
export function progressOf(order: Order, isOneOfMany: boolean): ProgressItem[] {
  const prefix = isOneOfMany ? `${order.metadata.name}: ` : '';
  const artifacts = order.spec?.artifacts ?? [];
  const runs = Object.entries(order.status?.artifactWorkflows ?? {}).toSorted(([, a], [, b]) => a.artifactIndex - b.artifactIndex);
  const key = `${order.metadata.namespace}/${order.metadata.name}`;
  if (runs.length === 0) {
    const message = order.status?.message;
    return artifacts.map((artifact, index) => ({
      id: `${key}/${index}`,
      label: `${prefix}${artifactLabel(artifact, index)}`,
      state: 'waiting',
      ...(message !== undefined && { message }),
    }));
  }
  return runs.map(([hash, run]) => {
    const label = runLabel(artifacts[run.artifactIndex], run);
    const hasSiblings = runs.filter(([, other]) => other.artifactIndex === run.artifactIndex).length > 1;
    const id = `${key}/${run.artifactIndex}`;
    return hasSiblings
      ? runItem(`${id}/${hash}`, run.destination === undefined ? `${prefix}${label} (${hash.slice(0, 6)})` : `${prefix}${label}`, run)
      : runItem(id, `${prefix}${label}`, run);
  });
}

function runItem(id: string, label: string, run: OrderRun): ProgressItem {
  const state = stateOf(run);
  const progress = parseProgress(run.progress);
  // Steps are counted as they begin, so the first of several looks like the only one.
  const isBytes = run.progressUnit === 'Bytes';
  const steps = progress !== undefined && !isBytes && progress.total > 1 ? `${progress.done} of ${progress.total} steps` : undefined;
  const step = state === 'running' ? steps : run.reason;
  const message = run.message;
  return {
    id,
    label,
    state,
    ...(step !== undefined && state !== 'succeeded' && { step }),
    ...(message !== undefined && message !== '' && { message: firstLine(message) }),
    ...(progress !== undefined && isBytes && { doneBytes: progress.done, totalBytes: progress.total }),
  };
}

function stateOf({ phase }: OrderRun): ProgressState {
  if (phase === 'Succeeded') return 'succeeded';
  if (isFinishedPhase(phase)) return 'failed';
  return phase === 'Running' || phase === 'Active' ? 'running' : 'waiting';
}

interface Progress {
  readonly done: number;
  readonly total: number;
}

function parseProgress(text: string | undefined): Progress | undefined {
  const match = /^(\d+)\/(\d+)$/.exec(text ?? '');
  return match === null ? undefined : { done: Number(match[1]), total: Number(match[2]) };
}

const tellingFields = ['image', 'repository', 'chart', 'component', 'url', 'path', 'key', 'name'] as const;

/** What an artifact is called where there is room for one line. */
function artifactLabel(artifact: Artifact | undefined, index: number): string {
  const spec: Readonly<Record<string, unknown>> = artifact?.spec ?? {};
  const telling = tellingFields.map((field) => spec[field]).find((value) => typeof value === 'string' && value !== '');
  return typeof telling === 'string' ? telling : `${artifact?.type ?? 'artifact'} ${index}`;
}

/** The artifact, and where to when it goes to several Endpoints. */
export function runLabel(artifact: Artifact | undefined, { artifactIndex, destination }: OrderRun): string {
  const label = artifactLabel(artifact, artifactIndex);
  return destination === undefined ? label : `${label} -> ${destination}`;
}

function firstLine(text: string): string {
  return text.split('\n', 1)[0] ?? '';
}
