import { StorageError } from '@arc/storage';
import type { EtcdClient } from './client/etcd-client.ts';
import type { EtcdLayout } from './etcd-layout.ts';
import { range, type KeyValue } from './wire/kv.ts';

export interface Contents {
  readonly client: EtcdClient;
  readonly layout: EtcdLayout;
  /** API groups of objects that may be there; undefined for any. */
  readonly groups: readonly string[] | undefined;
}

/** What Kubernetes writes before an object in protobuf. */
const protobufMark = Buffer.from('k8s\0');
/** More than any API server has groups. */
const mostGroups = 200;

/**
 * Looks at one object of each group below the prefix, so that no server takes the objects of another for its own, or its own
 * for those of nobody because they lie elsewhere. Values that are no objects are no business of this.
 *
 * @throws StorageError `BadDatabase`
 */
export async function assertOnlyOurs(contents: Contents, signal?: AbortSignal): Promise<void> {
  const { client, layout } = contents;
  for (const forbidden of layout.forbidden) {
    const { items } = await client.call(range, { ...forbidden, limit: 1, keysOnly: true }, signal);
    const [item] = items;
    if (item !== undefined)
      throw foreign(`${item.key} lies beside the group that was renamed`, 'Serve only one of the two from this prefix.');
  }
  const everything = layout.rangeToEtcd('');
  const rootLength = everything.key.length;
  let from = everything.key;
  for (let groups = 0; groups < mostGroups; groups++) {
    const { items } = await client.call(range, { key: from, rangeEnd: everything.rangeEnd, limit: 1 }, signal);
    const [item] = items;
    if (item === undefined) return;
    const key = Buffer.from(item.key);
    const slash = key.indexOf('/', rootLength);
    // A key that lies in no group is a mark of some program, such as its health check.
    from = Buffer.concat([key.subarray(0, Math.max(slash, 0) || key.length), Buffer.from(slash < 0 ? '\0' : '0')]);
    if (slash >= 0) assertOurs(contents, item);
  }
}

function assertOurs({ layout, groups }: Contents, item: KeyValue): void {
  if (protobufMark.equals(item.value.subarray(0, protobufMark.length))) {
    throw foreign(`${item.key} is an object in protobuf, as a Kubernetes cluster stores its own`);
  }
  const group = groupOf(layout.valueToStore(item.value));
  if (group === undefined) return;
  const [place = '', below = ''] = layout.toStore(item.key).slice(layout.storeRoot.length).split('/');
  if (place === group && below === group) {
    const prefix = item.key.slice(0, item.key.indexOf(`/${below}/`, item.key.indexOf(place) + place.length));
    throw foreign(`${item.key} was written below the prefix ${prefix}`, `If it is this server's, give prefix=${prefix}.`);
  }
  if (place !== group) throw foreign(`${item.key} is an object of the group ${group}, but not where this server would have put it`);
  if (groups?.includes(group) === false) {
    throw foreign(
      `${item.key} is an object of the group ${group}, which is not served`,
      `If that is what ARC was called when it was written, give group=${group}; else give ARC a prefix of its own.`,
    );
  }
}

/** The API group of an object, `core` for the one without a name; undefined for what is no object. */
function groupOf(value: Uint8Array): string | undefined {
  try {
    const object: unknown = JSON.parse(Buffer.from(value).toString());
    if (typeof object !== 'object' || object === null || !('apiVersion' in object)) return undefined;
    const { apiVersion } = object;
    if (typeof apiVersion !== 'string') return undefined;
    return apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : 'core';
  } catch {
    return undefined;
  }
}

function foreign(
  what: string,
  hint = 'Give the URL of the etcd a prefix of its own, as in prefix=/registry/arc, or ARC an etcd of its own.',
): StorageError {
  return new StorageError('BadDatabase', `the etcd holds something else: ${what}`, { hint });
}
