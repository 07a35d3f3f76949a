import { ArcError, messageOf } from '@arc/kernel';
import { undecodable } from '../storage-error.ts';
import type { StoredValue, StoreKey } from '../store.ts';
import type { CachedObject, CachedResource } from './contract.ts';
import { intern } from './intern.ts';
import { spliceRevision, type Spliced } from './splice.ts';

type Json = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string>>;

interface Selectable {
  readonly labels: Texts;
  readonly fields: Texts;
}

/** A CachedObject. Of a million of them each field costs 8 MB: what is rarely asked for is worked out when it is. */
export class StoredObject implements CachedObject {
  readonly key: StoreKey;
  readonly revision: number;
  readonly bytes: Uint8Array;
  readonly labels: Texts;
  readonly #resource: CachedResource;
  readonly #metadataStart: number;
  readonly #metadataEnd: number;
  #fields: Texts;

  constructor(
    { key, revision }: Pick<StoredValue, 'key' | 'revision'>,
    resource: CachedResource,
    spliced: Spliced,
    { labels, fields }: Selectable,
  ) {
    this.key = key;
    this.revision = revision;
    this.bytes = spliced.bytes;
    this.labels = labels;
    this.#resource = resource;
    this.#metadataStart = spliced.metadataStart;
    this.#metadataEnd = spliced.metadataEnd;
    this.#fields = fields;
  }

  get namespace(): string {
    const { prefix, namespaced } = this.#resource;
    const slash = namespaced ? this.key.indexOf('/', prefix.length) : -1;
    return slash < 0 ? '' : this.key.slice(prefix.length, slash);
  }

  get name(): string {
    const { prefix, namespaced } = this.#resource;
    const slash = namespaced ? this.key.indexOf('/', prefix.length) : -1;
    return this.key.slice(slash < 0 ? prefix.length : slash + 1);
  }

  get metadata(): Uint8Array {
    return this.bytes.subarray(this.#metadataStart, this.#metadataEnd);
  }

  get owners(): readonly string[] {
    const { ownerReferences } = parseObject(this.metadata);
    if (!Array.isArray(ownerReferences)) return [];
    return ownerReferences.flatMap((owner: unknown) => (isJsonObject(owner) && typeof owner['uid'] === 'string' ? [owner['uid']] : []));
  }

  field(name: string): string {
    if (name === 'metadata.name') return this.name;
    if (name === 'metadata.namespace') return this.namespace;
    return this.#fields[name] ?? '';
  }

  /** The same content under another revision: what a deletion shows. */
  withRevision(revision: number): StoredObject {
    const spliced = spliceRevision(this.bytes, revision);
    if (spliced === undefined) throw new Error(`metadata of ${this.key} has vanished`);
    return new StoredObject({ key: this.key, revision }, this.#resource, spliced, { labels: this.labels, fields: this.#fields });
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
  const { revision, value } = stored;
  const object = parseObject(value);
  const metadata = object['metadata'];
  const spliced = spliceRevision(value, revision);
  if (!isJsonObject(metadata) || spliced === undefined) throw noMetadata();
  return new StoredObject(stored, resource, spliced, {
    labels: interned(metadata['labels']),
    fields: interned(resource.fieldsOf(object)),
  });
}

/**
 * For those who read a value of the store themselves.
 *
 * @throws StorageError `Undecodable` when the cache would not hold it
 */
export function assertDecodable({ key, revision, value }: StoredValue): void {
  try {
    if (!isJsonObject(parseObject(value)['metadata'])) throw noMetadata();
  } catch (error) {
    throw undecodable(key, revision, messageOf(error));
  }
}

function noMetadata(): ArcError {
  return new ArcError('Undecodable', 'the value has no metadata object');
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

const none: Texts = Object.freeze({});

/** The members of `texts` that are text. */
function interned(texts: unknown): Texts {
  if (!isJsonObject(texts)) return none;
  const entries = Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  if (entries.length === 0) return none;
  return Object.fromEntries(entries.map(([name, text]) => [name, intern(text)]));
}

function isJsonObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
