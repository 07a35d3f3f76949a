import { statusError } from '@arc/apimachinery';
import type { Connector } from '@arc/apiserver';
import { codeOf } from '@arc/kernel';
import type { LogStore, OpenLogOptions } from '@arc/workflows';

/**
 * `pods/log` over the engine's log store, with the query parameters of the core API: follow, previous, tailLines, sinceSeconds,
 * sinceTime, timestamps, limitBytes. Every pod has one container, so `container` selects nothing.
 */
export function podLogs(logs: LogStore, now: () => number): Connector {
  return {
    group: '',
    plural: 'pods',
    subresource: 'log',
    verbs: ['get'],
    async handle({ namespace, name, query, signal }) {
      const stream = logs.openLog({ namespace, pod: name, signal, ...logOptions(query, now) });
      const chunks = stream[Symbol.asyncIterator]();
      return { contentType: 'text/plain', body: await started(chunks, name) };
    },
  };
}

function logOptions(query: URLSearchParams, now: () => number): Partial<OpenLogOptions> {
  const sinceSeconds = wholeNumber(query, 'sinceSeconds');
  const sinceTime =
    query.get('sinceTime') ?? (sinceSeconds === undefined ? undefined : new Date(now() - sinceSeconds * 1000).toISOString());
  const tailLines = wholeNumber(query, 'tailLines');
  const limitBytes = wholeNumber(query, 'limitBytes');
  return {
    follow: isTrue(query, 'follow'),
    previous: isTrue(query, 'previous'),
    timestamps: isTrue(query, 'timestamps'),
    ...(sinceTime !== undefined && { sinceTime }),
    ...(tailLines !== undefined && { tailLines }),
    ...(limitBytes !== undefined && { limitBytes }),
  };
}

function isTrue(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value === 'true' || value === '1';
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (!/^\d+$/.test(text)) throw statusError.badRequest(`invalid ${name}: ${JSON.stringify(text)} is not a whole number`);
  return Number(text);
}

/** Reads the first chunk before the answer begins, so that a missing log is an error answer and not an empty stream. */
async function started(chunks: AsyncIterator<Uint8Array>, pod: string): Promise<AsyncIterable<Uint8Array>> {
  try {
    const first = await chunks.next();
    return rest(first, chunks);
  } catch (error) {
    if (codeOf(error) === 'LogNotFound') throw statusError.notFound({ group: '', plural: 'pods/log' }, pod);
    throw error;
  }
}

async function* rest(first: IteratorResult<Uint8Array>, chunks: AsyncIterator<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    for (let next = first; next.done !== true; next = await chunks.next()) yield next.value;
  } finally {
    await chunks.return?.();
  }
}
