import type { NodeStatus, RetryStrategy, Template } from '@arc/api/argo';
import { argoDuration } from '../model/go-duration.ts';
import { WorkflowError } from '../model/workflow-error.ts';
import { addChild, addNode, deadlineMessage, endNode, findNode, isFulfilled, isSuccessful, wakeAt } from './planning.ts';
import type { Call, Planning, RunTemplate } from './planning.ts';
import { timeOf } from './time.ts';

/**
 * Plans the attempts of a template with a retry strategy: at any time at most the last of them is alive (1.7). An attempt
 * that fails before anything could run would fail again and is not repeated.
 */
export function runRetried(
  planning: Planning,
  call: Call,
  strategy: RetryStrategy,
  inputs: Template['inputs'],
  existing: NodeStatus | undefined,
  runAttempt: RunTemplate,
): NodeStatus {
  const node =
    existing ??
    addNode(planning, call.nodeName, 'Retry', { templateName: call.templateName, boundary: call.boundary, phase: 'Running', inputs });
  for (let index = 0; ; index++) {
    const name = `${call.nodeName}(${index})`;
    const known = findNode(planning, name);
    const last = index === 0 ? undefined : findNode(planning, `${call.nodeName}(${index - 1})`);
    if (known === undefined && last !== undefined && !mayRetry(planning, node, last, index, strategy, call.deadline)) return node;
    const attempt = runAttempt(planning, {
      ...call,
      nodeName: name,
      args: inputs,
      locals: new Map([...call.locals, ...retryNames(index, last)]),
      retried: true,
    });
    addChild(node, attempt);
    const neverRan = known === undefined && isFulfilled(attempt.phase) && !isSuccessful(attempt.phase);
    if (neverRan) return endNode(planning, node, attempt.phase ?? 'Error', attempt.message);
    if (!isFulfilled(attempt.phase)) {
      if (node.message !== undefined) delete node.message;
      return node;
    }
    if (isSuccessful(attempt.phase)) {
      if (attempt.outputs !== undefined) node.outputs = structuredClone(attempt.outputs);
      return endNode(planning, node, attempt.phase ?? 'Succeeded', attempt.message);
    }
  }
}

/** Decides about attempt number `index` after `last` failed; ends the node when there will be none. */
function mayRetry(
  planning: Planning,
  node: NodeStatus,
  last: NodeStatus,
  index: number,
  strategy: RetryStrategy,
  deadline: number | undefined,
): boolean {
  const phase = last.phase === 'Error' ? 'Error' : 'Failed';
  const giveUp = (message: string | undefined): false => {
    if (last.outputs !== undefined) node.outputs = structuredClone(last.outputs);
    endNode(planning, node, phase, message);
    return false;
  };
  if (planning.shutdown !== undefined) return giveUp(`Stopped with strategy '${planning.shutdown}'`);
  if (deadline !== undefined && planning.now >= deadline) return giveUp(deadlineMessage);
  const limit = strategy.limit === undefined ? Number.POSITIVE_INFINITY : Number(strategy.limit);
  if (Number.isNaN(limit)) throw new WorkflowError('InvalidRetryStrategy', `retryStrategy.limit ${strategy.limit} is not a number`);
  if (!policyAllows(strategy, phase)) return giveUp(last.message);
  if (index > limit) return giveUp('No more retries left');
  const first = findNode(planning, `${node.name}(0)`);
  const wait = backoffMs(strategy, index);
  const dueAt = timeOf(last.finishedAt, planning.now) + wait;
  const maxDuration = strategy.backoff?.maxDuration;
  if (maxDuration !== undefined && maxDuration !== '') {
    const end = timeOf(first?.startedAt, planning.now) + argoDuration(maxDuration, 'retryStrategy.backoff.maxDuration');
    if (planning.now > end) return giveUp('Max duration limit exceeded');
    if (dueAt > end) return giveUp('Backoff would exceed max duration limit');
  }
  if (planning.now >= dueAt) return true;
  node.message = `Backoff for ${Math.ceil(wait / 1000)} seconds`;
  wakeAt(planning, dueAt);
  return false;
}

function policyAllows(strategy: RetryStrategy, phase: 'Failed' | 'Error'): boolean {
  switch (strategy.retryPolicy ?? 'OnFailure') {
    case 'Always':
      return true;
    case 'OnError':
      return phase === 'Error';
    case 'OnFailure':
      return phase === 'Failed';
    case 'OnTransientError':
      return false;
  }
}

/** `duration * factor^(attempts-1)`, at most `cap` (1.7). */
function backoffMs(strategy: RetryStrategy, attempts: number): number {
  const { duration, factor, cap } = strategy.backoff ?? {};
  if (duration === undefined || duration === '') return 0;
  const base = argoDuration(duration, 'retryStrategy.backoff.duration');
  const growth = factor === undefined ? 1 : Number(factor);
  const limit = cap === undefined || cap === '' ? Number.POSITIVE_INFINITY : argoDuration(cap, 'retryStrategy.backoff.cap');
  return Math.min(limit, base * growth ** (attempts - 1));
}

function retryNames(index: number, last: NodeStatus | undefined): readonly (readonly [string, string])[] {
  const duration = last === undefined ? 0 : (timeOf(last.finishedAt, 0) - timeOf(last.startedAt, 0)) / 1000;
  return [
    ['retries', String(index)],
    ['lastRetry.exitCode', last?.outputs?.exitCode ?? (last === undefined ? '0' : '-1')],
    ['lastRetry.status', last?.phase ?? ''],
    ['lastRetry.duration', String(duration)],
    ['lastRetry.message', last?.message ?? ''],
  ];
}
