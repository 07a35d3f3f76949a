import { codeOf, messageOf } from '@arc/kernel';
import { assertDecodable } from '../cache/cached-object.ts';
import { resourceOf } from '../moving/resource-counts.ts';
import type { StoredValue, StoreKey } from '../store.ts';
import type { Finding } from './finding.ts';

/** A resource that a server has. */
export interface ServedResource {
  /** Empty for the core group. */
  readonly group: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Looks through all objects of a storage: values that cannot be read, keys that are not those of their objects, uids that
 * are missing or not unique, owners that are gone, and resources that no server of this version has.
 */
export async function examineObjects(
  pages: AsyncIterable<readonly StoredValue[]>,
  served: readonly ServedResource[],
  onProgress: (objects: number) => void = () => {},
): Promise<readonly Finding[]> {
  const examination = new Examination(served);
  for await (const page of pages) {
    for (const item of page) examination.examine(item);
    onProgress(examination.objects);
  }
  return examination.findings();
}

interface Owned {
  readonly key: StoreKey;
  readonly revision: number;
  readonly owner: string;
  readonly uid: string;
}

class Examination {
  objects = 0;
  readonly #served: ReadonlyMap<string, ServedResource>;
  readonly #findings: Finding[] = [];
  readonly #uids = new Map<string, StoreKey>();
  readonly #owned: Owned[] = [];
  readonly #strange = new Map<string, { count: number; readonly first: StoreKey }>();

  constructor(served: readonly ServedResource[]) {
    this.#served = new Map(
      served.map((resource) => [resource.group === '' ? resource.plural : `${resource.plural}.${resource.group}`, resource]),
    );
  }

  examine(item: StoredValue): void {
    this.objects += 1;
    const metadata = this.#metadataOf(item);
    if (metadata === undefined) return;
    const resource = this.#served.get(resourceOf(item.key));
    if (resource === undefined) this.#countStrange(item.key);
    else this.#compareNames(item, metadata, resource);
    this.#noteUid(item, metadata['uid']);
    this.#noteOwners(item, metadata['ownerReferences']);
  }

  findings(): readonly Finding[] {
    for (const [resource, { count, first }] of this.#strange) {
      this.#findings.push({
        severity: 'information',
        check: 'resource',
        key: first,
        message: `${count} ${count === 1 ? 'object' : 'objects'} of ${resource}, which this version does not serve; this is the first`,
      });
    }
    for (const { key, revision, owner, uid } of this.#owned) {
      if (this.#uids.has(uid)) continue;
      const message = `its owner ${owner} with uid ${uid} is not there; the garbage collector of a running server removes such objects`;
      this.#findings.push({ severity: 'information', check: 'owner', key, revision, message });
    }
    return this.#findings;
  }

  #metadataOf(item: StoredValue): Json | undefined {
    try {
      assertDecodable(item);
    } catch (error) {
      if (codeOf(error) !== 'Undecodable') throw error;
      this.#problem(item, 'value', isKubernetesProtobuf(item.value) ? protobuf : messageOf(error), removal(item.key));
      return undefined;
    }
    const { metadata } = JSON.parse(Buffer.from(item.value).toString('utf8')) as { metadata: Json };
    return metadata;
  }

  #countStrange(key: StoreKey): void {
    const resource = resourceOf(key);
    const known = this.#strange.get(resource);
    if (known === undefined) this.#strange.set(resource, { count: 1, first: key });
    else known.count += 1;
  }

  #compareNames(item: StoredValue, { name, namespace }: Json, resource: ServedResource): void {
    const parts = item.key.split('/').slice(4);
    const [keyNamespace, keyName] = resource.namespaced ? parts : ['', parts[0]];
    const isPlace = parts.length === (resource.namespaced ? 2 : 1);
    if (isPlace && name === keyName && (namespace ?? '') === keyNamespace) return;
    const said = [namespace, name].map((part) => (typeof part === 'string' && part !== '' ? part : undefined)).filter(Boolean);
    this.#problem(
      item,
      'key',
      `the object calls itself ${JSON.stringify(said.join('/'))}, which is not what its key says`,
      'Take a backup, read the object with its key from the storage, and create it anew under its name.',
    );
  }

  #noteUid(item: StoredValue, uid: unknown): void {
    if (typeof uid !== 'string' || uid === '') {
      this.#problem(item, 'uid', 'it has no uid', 'Export it with kubectl, delete it, and create it again: it then gets one.');
      return;
    }
    const other = this.#uids.get(uid);
    if (other === undefined) this.#uids.set(uid, item.key);
    else
      this.#problem(item, 'uid', `it has the same uid as ${other}`, 'Export one of the two with kubectl, delete it, and create it again.');
  }

  #noteOwners({ key, revision }: StoredValue, references: unknown): void {
    if (!Array.isArray(references)) return;
    for (const reference of references as readonly unknown[]) {
      if (typeof reference !== 'object' || reference === null) continue;
      const { kind, name, uid } = reference as Json;
      if (typeof uid === 'string') this.#owned.push({ key, revision, owner: `${String(kind)} ${String(name)}`, uid });
    }
  }

  #problem({ key, revision }: StoredValue, check: string, message: string, hint: string): void {
    this.#findings.push({ severity: 'problem', check, key, revision, message, hint });
  }
}

const protobuf = 'it cannot be read: it is in the binary form in which a kube-apiserver stores its objects';

/** What a kube-apiserver writes begins with this. */
function isKubernetesProtobuf(value: Uint8Array): boolean {
  return Buffer.from(value.subarray(0, 4)).equals(Buffer.from('k8s\0'));
}

function removal(key: StoreKey): string {
  return `Restore it from a backup, or remove it: arcctl storage doctor --remove '${key}' with the same --storage.`;
}
