import { codeOf, messageOf, systemClock } from '@arc/kernel';
import { StorageError } from '@arc/storage';
import { AttemptError, type EtcdClient } from './client/etcd-client.ts';
import type { Dialect } from './dialect.ts';
import { range, swap, type SwapRequest, type SwapResponse } from './wire/kv.ts';
import type { WatchEvent } from './wire/watch.ts';

/**
 * Makes a conditional write, on one member after the other. When the fate of an attempt is unknown, an update or deletion is
 * repeated: at most one attempt can pass a comparison with a revision, which never comes back. A creation is not, for it
 * would bring back an object that was created and then deleted by another; the key is read instead. What then is found
 * changed was changed by this write or another, which the history of the key tells.
 *
 * @param options.known a revision from before this write
 * @throws StorageError `OutcomeUnknown` when neither the answer nor the history tells, or a creation in doubt may still arrive; else what a refusal says, and then
 *   nothing was written
 */
export async function writeConditionally(
  client: EtcdClient,
  request: SwapRequest,
  { known, dialect }: { readonly known: number; readonly dialect: Dialect },
): Promise<SwapResponse> {
  const deadline = systemClock.monotonic() + client.timeoutMs;
  let doubt = false;
  for (let attempt = 0; ; attempt++) {
    try {
      if (doubt && request.expect === 0)
        return await resolveDoubt(client, request, { response: await look(client, request, deadline), known });
      const answer = await client.attempt(swap, request, { deadline });
      const response = dialect === 'kine' ? await completed(client, request, { answer, known }) : answer;
      // Kine looks at the key a moment after it has refused the creation; what was in the way may be gone by then.
      if (dialect === 'kine' && !response.succeeded && request.expect === 0 && response.other === undefined) continue;
      if (response.succeeded || !doubt) return response;
      return await resolveDoubt(client, request, { response, known });
    } catch (error) {
      if (!(error instanceof AttemptError)) throw error;
      doubt ||= error.failure.doubt;
      if (await client.mayTryAgain(error.failure, { attempt, deadline })) continue;
      if (codeOf(error.failure.error) === 'Full') return await resolveFull(client, request, { refusal: error.failure.error, known });
      throw doubt ? outcomeUnknown(error.failure.error) : error.failure.error;
    }
  }
}

/** What etcd would have answered where kine answered this. */
async function completed(
  client: EtcdClient,
  request: SwapRequest,
  { answer, known }: { readonly answer: SwapResponse; readonly known: number },
): Promise<SwapResponse> {
  const { key, expect, value } = request;
  if (!answer.succeeded) return answer;
  if (expect === 0) return { ...answer, revision: await creationOf(client, request, known) };
  // To kine, the deletion of a key that it does not know succeeds.
  if (value === null && answer.other === undefined) return { ...answer, succeeded: false };
  const before = await told(client.call(range, { key, revision: answer.revision - 1 }));
  return { ...answer, other: before.items[0] };
}

/** The revision of a creation that happened: that of another write may be answered where the key existed before (kine 0.17.5). */
async function creationOf(client: EtcdClient, request: SwapRequest, known: number): Promise<number> {
  const [now] = (await told(client.call(range, { key: request.key }))).items;
  const untouched = now !== undefined && now.createRevision === now.modRevision;
  if (untouched && isSame({ type: 'put', item: now }, request.value)) return now.modRevision;
  const first = await firstSuccessor(client, request, { after: known, until: Infinity });
  if (first === undefined) throw outcomeUnknown('the history of the object does not tell');
  return first.item.modRevision;
}

/** The answer of a comparison that failed, by reading. */
async function look(client: EtcdClient, { key }: SwapRequest, deadline: number): Promise<SwapResponse> {
  const { revision, items } = await client.attempt(range, { key }, { deadline });
  return { revision, succeeded: false, other: items[0] };
}

/**
 * Etcd has no room, and says so also of the write that took the last of it. It has answered, so that a read tells which.
 * A creation that is not there counts as refused: only another's deletion in this moment could have hidden it.
 */
async function resolveFull(
  client: EtcdClient,
  request: SwapRequest,
  { refusal, known }: { readonly refusal: StorageError; readonly known: number },
): Promise<SwapResponse> {
  const response = await told(look(client, request, systemClock.monotonic() + client.timeoutMs));
  if ((response.other?.modRevision ?? 0) === request.expect) throw refusal;
  return await resolveDoubt(client, request, { response, known });
}

/** `response` says that the comparison is false now: did an earlier attempt make it so? */
async function resolveDoubt(
  client: EtcdClient,
  request: SwapRequest,
  { response, known }: { readonly response: SwapResponse; readonly known: number },
): Promise<SwapResponse> {
  const current = response.other;
  // Deletions carry no trace of who made them, and where nothing is, nothing tells how far to read.
  if (current === undefined) throw outcomeUnknown('the object does not exist now');
  const after = Math.max(known, request.expect);
  if (current.modRevision <= after) return refused(request, response);
  const first = await firstSuccessor(client, request, { after, until: current.modRevision });
  if (first === undefined) return refused(request, response);
  if (request.value === null) throw outcomeUnknown('the object was deleted, by this request or another');
  const { item, previous } = first;
  return { revision: item.modRevision, succeeded: true, other: previous };
}

/**
 * Another's write is there. What of an update or deletion may still wait in a member that hangs is refused when it goes on; a
 * creation would be made, should the object have been deleted by then.
 */
function refused({ expect }: SwapRequest, response: SwapResponse): SwapResponse {
  if (expect === 0)
    throw outcomeUnknown('an object of this name was created by another, and this creation may still arrive after its deletion');
  return response;
}

/** The write in the key's history after `after`, up to `until`, that could be the requested one. */
async function firstSuccessor(
  client: EtcdClient,
  { key, expect, value }: SwapRequest,
  { after, until }: { readonly after: number; readonly until: number },
): Promise<WatchEvent | undefined> {
  const deadline = systemClock.monotonic() + client.timeoutMs;
  using stream = await client.watch({ key, rangeEnd: new Uint8Array(), startRevision: after + 1 });
  while (systemClock.monotonic() < deadline) {
    for (const { canceled, events } of await told(stream.take(deadline - systemClock.monotonic()))) {
      if (canceled) throw outcomeUnknown('history was compacted meanwhile');
      for (const event of events) {
        if (isSuccessor(event, expect) && isSame(event, value)) return event;
        if (event.item.modRevision >= until) return undefined;
      }
    }
  }
  throw outcomeUnknown('the history of the object could not be read in time');
}

function isSuccessor({ type, item, previous }: WatchEvent, expect: number): boolean {
  return expect === 0 ? type === 'put' && item.createRevision === item.modRevision : previous?.modRevision === expect;
}

function isSame({ type, item }: Pick<WatchEvent, 'type' | 'item'>, value: Uint8Array | null): boolean {
  return value === null ? type === 'delete' : type === 'put' && Buffer.compare(item.value, value) === 0;
}

async function told<T>(taking: Promise<T>): Promise<T> {
  try {
    return await taking;
  } catch (error) {
    throw outcomeUnknown(error);
  }
}

function outcomeUnknown(reason: unknown): StorageError {
  const text = typeof reason === 'string' ? reason : messageOf(reason);
  return new StorageError('OutcomeUnknown', `the connection to etcd was lost while a write was in flight: ${text}`, {
    hint: 'Read the object to see whether the write happened.',
    cause: reason,
  });
}
