import { ArcError, messageOf } from '@arc/kernel';
import type { StoredValue, StoreKey } from '../store.ts';
import type { CachedObject, CachedResource } from './contract.ts';
import { spliceRevision, type Spliced } from './splice.ts';

type Json = Readonly<Record<string, unknown>>;

interface Indexed {
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
}

/** A CachedObject whose rarely needed parts are made when asked for: most objects of a large store never are. */
export class StoredObject implements CachedObject {
  readonly key: StoreKey;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly bytes: Uint8Array;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly #metadataStart: number;
  readonly #metadataEnd: number;
  #fields: Readonly<Record<string, string>>;

  constructor(identity: Pick<CachedObject, 'key' | 'namespace' | 'name' | 'revision'>, spliced: Spliced, indexed: Indexed) {
    this.key = identity.key;
    this.namespace = identity.namespace;
    this.name = identity.name;
    this.revision = identity.revision;
    this.bytes = spliced.bytes;
    this.#metadataStart = spliced.metadataStart;
    this.#metadataEnd = spliced.metadataEnd;
    this.uid = indexed.uid;
    this.labels = indexed.labels;
    this.#fields = indexed.fields;
  }

  get metadata(): Uint8Array {
    return this.bytes.subarray(this.#metadataStart, this.#metadataEnd);
  }

  get fields(): Readonly<Record<string, string>> {
    return this.#fields;
  }

  /** The same content under another revision: what a deletion shows. */
  withRevision(revision: number): StoredObject {
    const spliced = spliceRevision(this.bytes, revision);
    if (spliced === undefined) throw new Error(`metadata of ${this.key} has vanished`);
    return new StoredObject({ key: this.key, namespace: this.namespace, name: this.name, revision }, spliced, this);
  }

  /** Adds selectable fields that a second kind over the same objects has. */
  addFields(fieldsOf: CachedResource['fieldsOf']): void {
    this.#fields = { ...this.#fields, ...fieldsOf(parseObject(this.bytes)) };
  }
}

/**
 * Decodes a stored value once, for all who will read it.
 *
 * @throws ArcError `Undecodable` when the value is not a JSON object with metadata
 */
export function decodeStored(stored: StoredValue, resource: CachedResource): StoredObject {
  const { key, revision, value } = stored;
  const object = parseObject(value);
  const metadata = object['metadata'];
  const spliced = spliceRevision(value, revision);
  if (!isJsonObject(metadata) || spliced === undefined) throw new ArcError('Undecodable', 'the value has no metadata object');
  const uid = metadata['uid'];
  return new StoredObject({ key, revision, ...namesOf(key, resource) }, spliced, {
    uid: typeof uid === 'string' ? uid : '',
    labels: labelsOf(metadata['labels']),
    fields: resource.fieldsOf(object),
  });
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function parseObject(value: Uint8Array): Json {
  try {
    const parsed: unknown = JSON.parse(utf8.decode(value));
    if (isJsonObject(parsed)) return parsed;
  } catch (error) {
    throw new ArcError('Undecodable', `the value is not valid JSON: ${withoutContent(messageOf(error))}`);
  }
  throw new ArcError('Undecodable', 'the value is not a JSON object');
}

/** V8 quotes the text it could not parse, which may be part of a Secret. */
function withoutContent(message: string): string {
  return /at position \d+/.exec(message)?.[0] ?? 'unexpected end or encoding';
}

function namesOf(key: StoreKey, { prefix, namespaced }: CachedResource): { readonly namespace: string; readonly name: string } {
  const rest = key.slice(prefix.length);
  const slash = namespaced ? rest.indexOf('/') : -1;
  return slash < 0 ? { namespace: '', name: rest } : { namespace: rest.slice(0, slash), name: rest.slice(slash + 1) };
}

const none: Readonly<Record<string, string>> = Object.freeze({});

function labelsOf(labels: unknown): Readonly<Record<string, string>> {
  if (!isJsonObject(labels)) return none;
  const entries = Object.entries(labels);
  if (entries.length === 0) return none;
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}

function isJsonObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
