import { pods } from '@arc/api/core';
import type { Pod } from '@arc/api/core';
import { exitCodes, UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { anySignal, isAbort } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { connect } from '../cluster/connection.ts';
import { requestPath } from '../cluster/request-path.ts';
import { hasFlag, textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { findLogTarget } from './log-target.ts';
import { createLineWriter } from './line-writer.ts';

/** How often `-f` looks for steps that have started since. */
const lookMs = 500;

/** `arcctl logs NAME [-f]`. */
export async function printLogs(invocation: Invocation): Promise<ExitCode | void> {
  const [text = ''] = invocation.args;
  const tail = textOption(invocation, 'tail');
  if (tail !== undefined && !/^\d+$/.test(tail)) throw new UsageError(`--tail takes a number of lines, not ${JSON.stringify(tail)}`);
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const look = await findLogTarget(client, namespace, text, invocation.signal);
  const log = { client, namespace, tail, invocation };
  if (!hasFlag(invocation, 'follow')) {
    const started = (await look(invocation.signal)).pods.filter(hasStarted);
    if (started.length === 0) invocation.streams.stderr.write('No step has started yet; follow with -f.\n');
    for (const pod of started) await printLog(log, pod, { follow: false, prefix: started.length > 1, signal: invocation.signal });
    return;
  }
  return await follow(log, look);
}

interface LogRequest {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly tail: string | undefined;
  readonly invocation: Invocation;
}

/** Prints the logs of all steps side by side, of those too that start later, until everything has finished. */
async function follow(log: LogRequest, look: Awaited<ReturnType<typeof findLogTarget>>): Promise<ExitCode | void> {
  const { clock, signal: interruption } = log.invocation;
  const broken = new AbortController();
  const signal = anySignal(interruption, broken.signal);
  const streams = new Map<string, Promise<void>>();
  // Nothing else keeps the process alive between two looks.
  const keepAlive = setInterval(() => {}, 1 << 30);
  try {
    for (;;) {
      const target = await look(signal);
      for (const pod of target.pods.filter(hasStarted)) {
        const key = pod.metadata.uid ?? '';
        if (streams.has(key)) continue;
        const printing = printLog(log, pod, { follow: true, prefix: target.pods.length > 1 || !target.isFinished, signal });
        streams.set(
          key,
          printing.catch((error: unknown) => broken.abort(error)),
        );
      }
      if (target.isFinished) break;
      await clock.sleep(lookMs, signal);
    }
    await Promise.all(streams.values());
    broken.signal.throwIfAborted();
  } catch (error) {
    if (isAbort(error, interruption)) return exitCodes.interrupted;
    throw broken.signal.aborted ? broken.signal.reason : error;
  } finally {
    clearInterval(keepAlive);
  }
}

interface PrintOptions {
  readonly follow: boolean;
  readonly prefix: boolean;
  readonly signal: AbortSignal;
}

async function printLog(log: LogRequest, pod: Pod, options: PrintOptions): Promise<void> {
  const { client, namespace, tail, invocation } = log;
  const { stdout } = invocation.streams;
  const { name = '' } = pod.metadata;
  const query = { follow: options.follow ? 'true' : undefined, tailLines: tail, container: containerOf(pod) };
  const { body } = await client.raw({ path: requestPath(pods, { namespace, name, subresource: 'log', query }), signal: options.signal });
  const lines = createLineWriter(stdout, options.prefix ? `[${name}] ` : '');
  for await (const chunk of body) {
    lines.write(chunk);
    await stdout.drained();
  }
  lines.end();
}

/** Where Argo runs a step, its own helpers run beside it; embedded there is only one container. */
function containerOf({ spec }: Pod): string | undefined {
  const names = (spec?.containers ?? []).map(({ name }) => name);
  return names.length > 1 && names.includes('main') ? 'main' : undefined;
}

/** Asking for the log of a container that waits to start is an error. */
function hasStarted({ status }: Pod): boolean {
  return status?.phase !== undefined && status.phase !== 'Pending';
}
