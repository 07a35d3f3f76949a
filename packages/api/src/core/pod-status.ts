import type { ContainerStatus, Pod } from './pod.ts';

/** The STATUS column of `kubectl get pods`: the most telling of phase, container states and deletion. */
export function podStatusText(pod: Pod): string {
  const { phase = 'Unknown', reason } = pod.status ?? {};
  const text = initText(pod) ?? containerText(pod) ?? reason ?? phase;
  const isFinished = phase === 'Succeeded' || phase === 'Failed';
  return pod.metadata.deletionTimestamp !== undefined && !isFinished ? 'Terminating' : text;
}

/** Says which init container is still at work or failed; undefined when all are through. */
function initText({ spec, status }: Pod): string | undefined {
  const total = spec?.initContainers?.length ?? 0;
  for (const [index, init] of (status?.initContainerStatuses ?? []).entries()) {
    const { terminated, waiting } = init.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (terminated !== undefined) return `Init:${terminatedText(terminated)}`;
    if (waiting?.reason !== undefined && waiting.reason !== 'PodInitializing') return `Init:${waiting.reason}`;
    return `Init:${index}/${total}`;
  }
  return undefined;
}

function containerText({ status }: Pod): string | undefined {
  const statuses = status?.containerStatuses ?? [];
  // The first container decides over the others, as in kubectl.
  const text = statuses.map(stateText).find((found) => found !== undefined);
  const anyRunning = statuses.some(({ ready, state }) => ready && state?.running !== undefined);
  if (text !== 'Completed' || !anyRunning) return text;
  const isReady = (status?.conditions ?? []).some(({ type, status: value }) => type === 'Ready' && value === 'True');
  return isReady ? 'Running' : 'NotReady';
}

function stateText({ state }: ContainerStatus): string | undefined {
  if (state?.waiting?.reason !== undefined) return state.waiting.reason;
  return state?.terminated === undefined ? undefined : terminatedText(state.terminated);
}

function terminatedText(terminated: { readonly exitCode: number; readonly signal?: number; readonly reason?: string }): string {
  const { exitCode, signal = 0, reason = '' } = terminated;
  if (reason !== '') return reason;
  return signal === 0 ? `ExitCode:${exitCode}` : `Signal:${signal}`;
}
