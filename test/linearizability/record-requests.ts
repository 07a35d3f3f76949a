import { randomIntegers, type Recorded, type RecordedWrite } from '@arc/storage/conformance';
import type { Answer, ApiClient } from '../faults/support/api-client.ts';
import { revisionOf, type Collection, type StoredConfigMap } from './collection.ts';

export interface RequestOptions {
  /** How many in all, about. */
  readonly operations: number;
  /** How many requests are under way at a time. */
  readonly clients: number;
  readonly names: readonly string[];
  /** Decides what each client does, and through which server; what it meets is up to the others. */
  readonly seed: number;
}

/** A write, before its answer. */
type Write = Pick<RecordedWrite, 'key' | 'expect' | 'value'>;

interface ListBody {
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
  readonly items: readonly StoredConfigMap[];
}

/** How a write is sent, and the code that says that it happened. */
interface Sent {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly success: number;
}

/**
 * Sends random requests through random servers: creations, updates and deletions of a version, which succeed about half of the
 * time, GETs, and consistent LISTs, whole or in pages that each come from another server. A deletion does not tell its
 * revision: it is recorded with 0, for `tellDeletions`.
 *
 * @throws Error at an answer that none of these may have
 */
export async function recordRequests(
  servers: readonly ApiClient[],
  collection: Collection,
  { operations, clients, names, seed }: RequestOptions,
): Promise<readonly Recorded[]> {
  const recorded: Recorded[] = [];
  /** What was last seen of a name, through whichever server. */
  const seen = new Map<string, number>();
  /** What each revision holds. */
  const contents = new Map<number, string>();
  const origin = process.hrtime.bigint();
  const now = (): number => Number(process.hrtime.bigint() - origin);
  let begun = 0;
  let values = 0;

  const see = (object: StoredConfigMap): number => {
    const revision = revisionOf(object, collection);
    const content = `${object.metadata.name}=${object.data?.value}`;
    const known = contents.get(revision);
    if (known !== undefined && known !== content) throw new Error(`resourceVersion ${revision} is ${known} and ${content}`);
    contents.set(revision, content);
    return revision;
  };

  const client = async (random: (below: number) => number): Promise<void> => {
    const request = async (method: string, path: string, body?: unknown): Promise<Answer> => {
      const answer = await servers[random(servers.length)]?.send(method, path, { body, timeoutSeconds: 30 });
      if (answer === undefined) throw new Error(`${method} ${path} was not answered`);
      return answer;
    };
    const write = async (key: string): Promise<void> => {
      const last = seen.get(key) ?? 0;
      const expect = last === 0 ? ('absent' as const) : last;
      const intended: Write = { key, expect, value: last !== 0 && random(4) === 0 ? null : `v${values++}` };
      const { method, path, body, success } = sent(intended, collection);
      const began = now();
      const { code, text } = await request(method, path, body);
      const operation = { kind: 'write', ...intended, began, ended: now() } as const;
      if (code === success) {
        const revision = intended.value === null ? 0 : see(JSON.parse(text) as StoredConfigMap);
        seen.set(key, revision);
        recorded.push({ ...operation, outcome: 'committed', revision, met: last });
      } else if (code === 404 || code === 409) {
        seen.delete(key);
        recorded.push({ ...operation, outcome: 'refused', revision: 0, met: code === 404 ? 0 : undefined });
      } else {
        throw new Error(`${method} ${path} was answered ${code}: ${text}`);
      }
    };
    const get = async (key: string): Promise<void> => {
      const began = now();
      const { code, text } = await request('GET', `${collection.path}/${key}`);
      if (code !== 200 && code !== 404) throw new Error(`GET of ${key} was answered ${code}: ${text}`);
      const found = code === 404 ? 0 : see(JSON.parse(text) as StoredConfigMap);
      recorded.push({ kind: 'read', key, began, ended: now(), found });
      seen.set(key, found);
    };
    const list = async (limit: number): Promise<void> => {
      const began = now();
      let ended = began;
      let revision: number | undefined;
      const found = new Map<string, number>();
      for (let token = '', page = 0; page === 0 || token !== ''; page++) {
        const query = `?limit=${limit}${token === '' ? '' : `&continue=${encodeURIComponent(token)}`}`;
        const { code, text } = await request('GET', `${collection.path}${query}`);
        if (code !== 200) throw new Error(`LIST ${query} was answered ${code}: ${text}`);
        // All pages are of the snapshot that the first one was taken from.
        if (page === 0) ended = now();
        const { metadata, items } = JSON.parse(text) as ListBody;
        const own = Number(metadata.resourceVersion) - collection.base;
        revision ??= own;
        if (own !== revision) throw new Error(`page ${page} of a list of revision ${revision} is of ${own}`);
        for (const item of items) found.set(item.metadata.name, see(item));
        token = metadata.continue ?? '';
      }
      recorded.push({ kind: 'snapshot', began, ended, revision: revision ?? 0, found });
    };

    const name = (): string => names[random(names.length)] ?? '';
    while (begun++ < operations) {
      const choice = random(10);
      if (choice < 5) await write(name());
      else if (choice < 8) await get(name());
      else await list(choice === 8 ? 0 : 1 + random(names.length));
    }
  };

  await Promise.all(Array.from({ length: clients }, (_, index) => client(randomIntegers(seed + index))));
  return recorded;
}

function sent({ key, expect, value }: Write, { path, base }: Collection): Sent {
  const own = `${path}/${key}`;
  const version = expect === 'absent' ? {} : { resourceVersion: String(base + expect) };
  const object = { metadata: { name: key, ...version }, data: { value } };
  if (expect === 'absent') return { method: 'POST', path, body: object, success: 201 };
  if (value === null) return { method: 'DELETE', path: own, body: { preconditions: version }, success: 200 };
  return { method: 'PUT', path: own, body: object, success: 200 };
}
