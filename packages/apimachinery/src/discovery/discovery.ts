import { apiVersionOf } from '../meta/types.ts';
import { aggregatedGroups } from './aggregated.ts';
import { contentHash } from './hashes.ts';
import type { Hashes } from './hashes.ts';
import { resourcesOf } from './resource-list.ts';
import { servedGroupVersions } from './served-kinds.ts';
import type { ServedApi, ServedGroupVersion } from './served-kinds.ts';

export type AggregatedVersion = 'v2' | 'v2beta1';

export interface DiscoveryDocument {
  readonly json: string;
  /** In double quotes, as the header wants it. */
  readonly etag: string;
}

/** All discovery documents of a server, made once. */
export interface Discovery {
  /** Plain documents by path without trailing slash: `/api`, `/apis`, `/api/v1`, `/apis/<g>`, `/apis/<g>/<v>`. */
  readonly plain: ReadonlyMap<string, DiscoveryDocument>;
  /** APIGroupDiscoveryList for `/api` and `/apis` (wire contract 1.2). */
  aggregated(path: '/api' | '/apis', version: AggregatedVersion): DiscoveryDocument;
}

/** The media type an aggregated answer must carry: clients decide by it what they have got (wire contract 1.2). */
export function aggregatedMediaType(version: AggregatedVersion): string {
  return `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
}

/** Builds discovery (wire contract 1.1, 1.2) from the kinds a server serves. */
export function buildDiscovery(api: ServedApi, hashes: Hashes): Discovery {
  const groupVersions = servedGroupVersions(api);
  const document = (value: unknown): DiscoveryDocument => {
    const json = JSON.stringify(value);
    return { json, etag: `"${contentHash(json, hashes)}"` };
  };
  const plain = new Map<string, DiscoveryDocument>();
  plain.set('/api', document(coreVersions(groupVersions)));
  plain.set('/apis', document({ kind: 'APIGroupList', apiVersion: 'v1', groups: groupsOf(groupVersions) }));
  for (const group of groupsOf(groupVersions)) plain.set(`/apis/${group.name}`, document({ kind: 'APIGroup', apiVersion: 'v1', ...group }));
  for (const groupVersion of groupVersions) {
    plain.set(
      pathOf(groupVersion),
      document({
        kind: 'APIResourceList',
        apiVersion: 'v1',
        groupVersion: apiVersionOf(groupVersion),
        resources: resourcesOf(groupVersion, hashes),
      }),
    );
  }
  const isCore = ({ group }: ServedGroupVersion): boolean => group === '';
  const lists = new Map<string, DiscoveryDocument>();
  for (const version of ['v2', 'v2beta1'] as const) {
    const list = (items: readonly ServedGroupVersion[]): DiscoveryDocument =>
      document({
        kind: 'APIGroupDiscoveryList',
        apiVersion: `apidiscovery.k8s.io/${version}`,
        metadata: {},
        items: aggregatedGroups(items),
      });
    lists.set(`/api ${version}`, list(groupVersions.filter(isCore)));
    lists.set(`/apis ${version}`, list(groupVersions.filter((groupVersion) => !isCore(groupVersion))));
  }
  return {
    plain,
    aggregated(path, version) {
      const found = lists.get(`${path} ${version}`);
      if (found === undefined) throw new TypeError(`no aggregated discovery ${version} at ${path}`);
      return found;
    },
  };
}

/** `/api/v1` for the core group, `/apis/<g>/<v>` otherwise. */
export function pathOf({ group, version }: { readonly group: string; readonly version: string }): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

function coreVersions(groupVersions: readonly ServedGroupVersion[]): unknown {
  return {
    kind: 'APIVersions',
    versions: groupVersions.filter(({ group }) => group === '').map(({ version }) => version),
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '' }],
  };
}

function groupsOf(groupVersions: readonly ServedGroupVersion[]) {
  const groups = Map.groupBy(
    groupVersions.filter(({ group }) => group !== ''),
    ({ group }) => group,
  );
  return [...groups].map(([name, members]) => {
    const versions = members.map((member) => ({ groupVersion: apiVersionOf(member), version: member.version }));
    return { name, versions, preferredVersion: versions[0] };
  });
}
