import { endpoints, forceAtAnnotation } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import { createTablePrinter, exitCodes } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { anySignal, ArcError } from '@arc/kernel';
import type { KubeClient, ObjectRef } from '@arc/kube-client';
import { connect } from '../cluster/connection.ts';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { followObject } from '../order/follow-object.ts';
import { timeoutFrom } from '../order/timeout.ts';
import { isObjectFormat, printObjects } from '../output/print-objects.ts';

const defaultTimeoutMs = 30_000;

/**
 * `arcctl endpoint test NAME`: has an Endpoint probed now, and prints what was found.
 *
 * @returns 0 when it is ready
 * @throws ApiStatusError; ArcError `Timeout`, `NotFound`; UsageError
 */
export async function testEndpoint(invocation: Invocation): Promise<ExitCode> {
  const timeoutMs = timeoutFrom(invocation) ?? defaultTimeoutMs;
  const { clock, signal, streams } = invocation;
  const [name = ''] = invocation.args;
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const ref = { namespace, name };
  const seconds = unusedForce(await client.get<Endpoint>(endpoints, ref, { signal }), Math.floor(clock.now() / 1000));
  const metadata = { annotations: { [forceAtAnnotation]: String(seconds) } };
  await client.patch<Endpoint>(endpoints, ref, { metadata }, { fieldManager: 'arcctl', signal });

  const stop = new AbortController();
  using _deadline = clock.after(timeoutMs, () => stop.abort(timeoutError(ref, timeoutMs)));
  const endpoint = await probedEndpoint(client, ref, seconds, { clock, signal: anySignal(signal, stop.signal) });
  const conditions = endpoint.status?.conditions ?? [];
  const format = textOption(invocation, 'output');
  if (isObjectFormat(format)) await printObjects(streams.stdout, endpoints, [endpoint], format, false);
  else {
    const columns = ['Condition', 'Status', 'Reason', 'Message'].map((column) => ({ name: column }));
    createTablePrinter(streams.stdout, columns, { clock }).print(
      conditions.map(({ type, status, reason, message }) => [type, status, reason, message]),
    );
  }
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ? exitCodes.ok : exitCodes.failure;
}

/** A force-at value of now, or just before, that was not carried out yet. */
function unusedForce({ metadata, status }: Endpoint, now: number): number {
  const used = new Set([Number(metadata.annotations?.[forceAtAnnotation]), Date.parse(status?.probedForceAt ?? '') / 1000]);
  let seconds = now;
  while (used.has(seconds)) seconds -= 1;
  return seconds;
}

/** Waits until a force-at value was carried out. */
async function probedEndpoint(
  client: KubeClient,
  ref: ObjectRef,
  seconds: number,
  options: Pick<Invocation, 'clock' | 'signal'>,
): Promise<Endpoint> {
  for await (const endpoint of followObject<Endpoint>(client, endpoints, ref, options)) {
    if (endpoint === undefined) break;
    if (Date.parse(endpoint.status?.probedForceAt ?? '') === seconds * 1000) return endpoint;
  }
  throw new ArcError('NotFound', `endpoint ${ref.namespace}/${ref.name} was deleted before it had been probed`);
}

function timeoutError({ namespace, name }: ObjectRef, timeoutMs: number): ArcError {
  return new ArcError('Timeout', `endpoint ${namespace}/${name} was not probed within ${timeoutMs / 1000} s`, {
    hint: 'Is the controller of ARC running? If many Endpoints are probed at the moment, give a longer --timeout.',
  });
}
