import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '@arc/testkit';
import type { Answer, ApiClient } from './api-client.ts';
import { follow, historyEvent, readHistory, type Follower } from './follow.ts';
import type { LoadRecord, ReadRecord, Verb, WriteRecord, WriteResult } from './load-record.ts';
import { randomNumbers } from './random.ts';

const writers = 4;
const readers = 2;
const followers = 2;
const names = Array.from({ length: 8 }, (_, index) => `object-${index}`);
let namespaces = 0;

/** Clients at work on one namespace, who write down what they did and saw. */
export interface Load extends AsyncDisposable {
  /** Waits until this many more writes, and a list, have been acknowledged. */
  progress(count: number): Promise<void>;
  /** Answers with a 5xx so far. */
  readonly refusals: number;
  /** Waits until this many more requests have been answered with a 5xx. */
  refused(count?: number): Promise<void>;
  /** Ends all clients, waits until the watches have told everything, and reads history from the beginning. */
  finish(): Promise<LoadRecord>;
}

export interface LoadOptions {
  /** Of every request. */
  readonly timeoutSeconds: number;
}

/** Begins in a namespace of its own. */
export async function startLoad(client: ApiClient, options: LoadOptions): Promise<Load> {
  const name = `faults-${process.pid}-${namespaces++}`;
  const namespace = await client.send('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
  if (namespace?.code !== 201) throw new Error(`the namespace was not created: ${namespace?.text}`);
  const load = new RunningLoad(client, `/api/v1/namespaces/${name}/configmaps`, options);
  await load.begin();
  return load;
}

class RunningLoad implements Load {
  readonly #client: ApiClient;
  readonly #collection: string;
  readonly #options: LoadOptions;
  readonly #stop = new AbortController();
  readonly #writes: WriteRecord[] = [];
  readonly #acknowledged: WriteRecord[] = [];
  readonly #reads: ReadRecord[] = [];
  readonly #followers: Follower[] = [];
  #workers: readonly Promise<void>[] = [];
  #from = 0;
  #lists = 0;
  #refusals = 0;

  constructor(client: ApiClient, collection: string, options: LoadOptions) {
    this.#client = client;
    this.#collection = collection;
    this.#options = options;
  }

  async begin(): Promise<void> {
    this.#from = (await this.#list()) ?? 0;
    for (let i = 0; i < followers; i++) {
      this.#followers.push(
        follow(this.#client, this.#collection, { from: this.#from, list: () => this.#list(), random: randomNumbers(i) }),
      );
    }
    this.#workers = [
      ...Array.from({ length: writers }, (_, i) => this.#write(`w${i}`, randomNumbers(100 + i))),
      ...Array.from({ length: readers }, (_, i) => this.#read(randomNumbers(200 + i))),
    ];
  }

  async progress(count: number): Promise<void> {
    const wanted = { writes: this.#acknowledged.length + count, lists: this.#lists + 1 };
    await eventually(() => this.#acknowledged.length >= wanted.writes && this.#lists >= wanted.lists, {
      what: `${count} more acknowledged writes and a list`,
      intervalMs: 10,
      timeoutMs: 60_000,
    });
  }

  get refusals(): number {
    return this.#refusals;
  }

  async refused(count = 1): Promise<void> {
    const wanted = this.#refusals + count;
    await eventually(() => this.#refusals >= wanted, { what: `${count} more refusals`, intervalMs: 10 });
  }

  async finish(): Promise<LoadRecord> {
    this.#stop.abort();
    await Promise.all(this.#workers);
    const until = await this.#mark();
    await Promise.all(this.#followers.map((follower) => follower.reached(until)));
    await this.#list();
    const history = await readHistory(this.#client, this.#collection, { from: this.#from, until });
    await this.#endFollowing();
    return {
      from: this.#from,
      writes: this.#writes,
      acknowledged: this.#acknowledged,
      reads: this.#reads,
      follows: this.#followers.flatMap(({ segments }) => segments),
      history,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#endFollowing();
    await Promise.all(this.#workers);
  }

  async #endFollowing(): Promise<void> {
    await Promise.all(this.#followers.map((follower) => follower[Symbol.asyncDispose]()));
  }

  async #write(writer: string, random: (limit: number) => number): Promise<void> {
    for (let count = 0; !this.#stop.signal.aborted; count++) {
      const name = names[random(names.length)] ?? '';
      const answered = await this.#writeOnce(`${writer}-${count}`, name, random(10));
      await this.#pause(answered ? random(10) : 50);
    }
  }

  /** False when the server did not answer as it should on a good day. */
  async #writeOnce(id: string, name: string, choice: number): Promise<boolean> {
    const body = { metadata: { name }, data: { writer: id } };
    if (choice < 3) return await this.#send({ id, verb: 'create', name }, 'POST', this.#collection, { body });
    const path = `${this.#collection}/${name}`;
    if (choice === 3) return await this.#send({ id, verb: 'delete', name }, 'DELETE', path, {});
    if (choice < 6)
      return await this.#send({ id, verb: 'patch', name }, 'PATCH', path, { body, contentType: 'application/merge-patch+json' });
    const expected = await this.#get(name);
    if (expected === undefined) return true;
    const sent = { ...body, metadata: { name, resourceVersion: String(expected) } };
    return await this.#send({ id, verb: 'update', name, expected }, 'PUT', path, { body: sent });
  }

  async #send(
    write: { readonly id: string; readonly verb: Verb; readonly name: string; readonly expected?: number },
    method: string,
    path: string,
    options: { readonly body?: unknown; readonly contentType?: string },
  ): Promise<boolean> {
    const acknowledgedBefore = this.#acknowledged.length;
    const answer = await this.#client.send(method, path, { ...this.#options, ...options });
    // As good as a read that found nothing, and has to be as true.
    if (answer?.code === 404) this.#reads.push({ acknowledgedBefore, name: write.name, found: new Map() });
    const record = { ...write, result: resultOf(answer) };
    this.#writes.push(record);
    if (record.result.kind === 'acknowledged') this.#acknowledged.push(record);
    return this.#isGood(answer);
  }

  async #read(random: (limit: number) => number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const name = names[random(names.length)] ?? '';
      const answered = random(4) === 0 ? await this.#list() : await this.#get(name);
      await this.#pause(answered === undefined ? 50 : random(10));
    }
  }

  /** The object's revision; undefined when there is none, or no answer. */
  async #get(name: string): Promise<number | undefined> {
    const acknowledgedBefore = this.#acknowledged.length;
    const answer = await this.#client.send('GET', `${this.#collection}/${name}`, this.#options);
    this.#isGood(answer);
    // Anything else says nothing about the object: 429 while a server that was just started loads its cache.
    if (answer?.code !== 200 && answer?.code !== 404) return undefined;
    const object: unknown = JSON.parse(answer.text);
    const found = new Map(answer.code === 404 ? [] : [[name, historyEvent('ADDED', object).revision]]);
    this.#reads.push({ acknowledgedBefore, name, found });
    return found.get(name);
  }

  /** The revision of the list; undefined when there is no answer. */
  async #list(): Promise<number | undefined> {
    const acknowledgedBefore = this.#acknowledged.length;
    const answer = await this.#client.send('GET', this.#collection, this.#options);
    if (answer?.code !== 200) {
      this.#isGood(answer);
      return undefined;
    }
    const { metadata, items } = JSON.parse(answer.text) as { metadata: { resourceVersion: string }; items: readonly unknown[] };
    const objects = items.map((item) => historyEvent('ADDED', item));
    const revision = Number(metadata.resourceVersion);
    this.#reads.push({ acknowledgedBefore, revision, found: new Map(objects.map((object) => [object.name, object.revision])) });
    this.#lists += 1;
    return revision;
  }

  #isGood(answer: Answer | undefined): boolean {
    if (answer !== undefined && answer.code >= 500) this.#refusals += 1;
    return answer !== undefined && answer.code < 500 && answer.code !== 429;
  }

  /** Writes the last object of all, and returns its revision. */
  async #mark(): Promise<number> {
    let attempt = 0;
    return await eventually(
      async () => {
        const name = `mark-${attempt++}`;
        await this.#send({ id: name, verb: 'create', name }, 'POST', this.#collection, {
          body: { metadata: { name }, data: { writer: name } },
        });
        const last = this.#acknowledged.at(-1);
        return last?.name === name && last.result.kind === 'acknowledged' ? last.result.revision : undefined;
      },
      { what: 'the last write' },
    );
  }

  async #pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}

function resultOf(answer: Answer | undefined): WriteResult {
  if (answer === undefined || answer.code === 504) return { kind: 'unknown' };
  if (answer.code >= 300) return { kind: 'refused', code: answer.code };
  const object = JSON.parse(answer.text) as { kind: string; details?: { uid?: string } };
  if (object.kind === 'Status') return { kind: 'acknowledged', ...(object.details?.uid !== undefined && { uid: object.details.uid }) };
  return { kind: 'acknowledged', revision: historyEvent('ADDED', object).revision };
}
