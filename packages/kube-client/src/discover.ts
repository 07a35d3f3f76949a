import type { ResourceType } from '@arc/apimachinery/client';
import { isStatusReason, parseApiVersion } from '@arc/apimachinery/client';
import { ArcError } from '@arc/kernel';
import type { KubeClient, RequestOptions } from './client.ts';

/** A resource the server serves, and the names it goes by. */
export interface DiscoveredResource {
  readonly type: ResourceType;
  readonly singular: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** `status`, `log`, ... */
  readonly subresources: readonly string[];
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/**
 * What the server serves: the core group first, then the groups in the server's order, preferred versions first. Two
 * requests where the server has aggregated discovery (wire contract 1.2), else one a group version (1.1).
 */
export async function discover(client: KubeClient, options: RequestOptions = {}): Promise<readonly DiscoveredResource[]> {
  const [core, groups] = await Promise.all([discoverRoot(client, '/api', options), discoverRoot(client, '/apis', options)]);
  return [...core, ...groups];
}

/**
 * Finds a resource by what people call it: plural, singular, kind or short name, alone or followed by its group
 * (`orders.arc.opendefense.cloud`) or version and group (`orders.v1alpha1.arc.opendefense.cloud`). Case does not matter.
 *
 * @throws ArcError `UnknownResource`
 */
export function findResource(resources: readonly DiscoveredResource[], text: string): DiscoveredResource {
  const wanted = text.toLowerCase();
  const found = resources.find((resource) => namesOf(resource).some((name) => forms(name, resource.type).includes(wanted)));
  if (found !== undefined) return found;
  const near = nearest(wanted, [...new Set(resources.flatMap(namesOf))]);
  throw new ArcError('UnknownResource', `the server has no resource type ${JSON.stringify(text)}`, {
    hint: near === undefined ? 'List what there is with: kubectl api-resources.' : `Did you mean ${near}?`,
  });
}

function namesOf({ type, singular, shortNames }: DiscoveredResource): string[] {
  return [type.plural, singular, type.kind.toLowerCase(), ...shortNames];
}

function forms(name: string, { group, version }: ResourceType): string[] {
  return group === '' ? [name, `${name}.${version}`] : [name, `${name}.${group}`, `${name}.${version}.${group}`];
}

async function discoverRoot(client: KubeClient, path: '/api' | '/apis', options: RequestOptions): Promise<readonly DiscoveredResource[]> {
  let answer: { readonly aggregated: boolean; readonly document: unknown };
  try {
    answer = await getDocument(client, path, `${aggregated},application/json`, options);
  } catch (error) {
    if (isStatusReason(error, 'NotFound')) return [];
    throw error;
  }
  if (answer.aggregated) return fromAggregated(answer.document as AggregatedDocument);
  const versions =
    path === '/api'
      ? ((answer.document as { versions?: string[] }).versions ?? []).map((version) => ({ groupVersion: version, path: `/api/${version}` }))
      : groupVersions(answer.document as GroupList);
  const lists = await Promise.all(
    versions.map(async (version) => {
      const { document } = await getDocument(client, version.path, 'application/json', options);
      return fromResourceList(version.groupVersion, document as ResourceList);
    }),
  );
  return lists.flat();
}

async function getDocument(
  client: KubeClient,
  path: string,
  accept: string,
  { signal }: RequestOptions,
): Promise<{ aggregated: boolean; document: unknown }> {
  const { headers, body } = await client.raw({ path, headers: { accept }, ...(signal !== undefined && { signal }) });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  const document: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  return { aggregated: String(headers['content-type']).includes('as=APIGroupDiscoveryList'), document };
}

interface AggregatedDocument {
  readonly items?: readonly {
    readonly metadata?: { readonly name?: string };
    readonly versions?: readonly {
      readonly version: string;
      readonly resources?: readonly {
        readonly resource: string;
        readonly responseKind?: { readonly kind?: string };
        readonly scope?: string;
        readonly singularResource?: string;
        readonly verbs?: readonly string[];
        readonly shortNames?: readonly string[];
        readonly categories?: readonly string[];
        readonly subresources?: readonly { readonly subresource: string }[];
      }[];
    }[];
  }[];
}

function fromAggregated(document: AggregatedDocument): DiscoveredResource[] {
  return (document.items ?? []).flatMap(({ metadata, versions = [] }) =>
    versions.flatMap(({ version, resources = [] }) =>
      resources.map((resource) => ({
        type: {
          group: metadata?.name ?? '',
          version,
          plural: resource.resource,
          kind: resource.responseKind?.kind ?? '',
          namespaced: resource.scope === 'Namespaced',
        },
        singular: resource.singularResource ?? '',
        shortNames: resource.shortNames ?? [],
        categories: resource.categories ?? [],
        verbs: resource.verbs ?? [],
        subresources: (resource.subresources ?? []).map(({ subresource }) => subresource),
      })),
    ),
  );
}

interface GroupList {
  readonly groups?: readonly {
    readonly versions?: readonly { readonly groupVersion: string }[];
    readonly preferredVersion?: { readonly groupVersion: string };
  }[];
}

function groupVersions(document: GroupList): { groupVersion: string; path: string }[] {
  return (document.groups ?? []).flatMap(({ versions = [], preferredVersion }) => {
    const names = new Set([
      ...(preferredVersion === undefined ? [] : [preferredVersion.groupVersion]),
      ...versions.map((v) => v.groupVersion),
    ]);
    return [...names].map((groupVersion) => ({ groupVersion, path: `/apis/${groupVersion}` }));
  });
}

interface ResourceList {
  readonly resources?: readonly {
    readonly name: string;
    readonly singularName?: string;
    readonly namespaced?: boolean;
    readonly kind: string;
    readonly verbs?: readonly string[];
    readonly shortNames?: readonly string[];
    readonly categories?: readonly string[];
  }[];
}

function fromResourceList(groupVersion: string, { resources = [] }: ResourceList): DiscoveredResource[] {
  return resources
    .filter(({ name }) => !name.includes('/'))
    .map((resource) => ({
      type: {
        ...parseApiVersion(groupVersion),
        plural: resource.name,
        kind: resource.kind,
        namespaced: resource.namespaced === true,
      },
      singular: resource.singularName ?? '',
      shortNames: resource.shortNames ?? [],
      categories: resource.categories ?? [],
      verbs: resource.verbs ?? [],
      subresources: resources.flatMap(({ name }) => (name.startsWith(`${resource.name}/`) ? [name.slice(resource.name.length + 1)] : [])),
    }));
}

/** The known word at the smallest edit distance, if it is near enough to be a slip of the keyboard. */
function nearest(wanted: string, known: readonly string[]): string | undefined {
  const ranked = known
    .filter((word) => word.length > 2)
    .map((word) => ({ word, distance: editDistance(wanted, word) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best !== undefined && best.distance <= Math.max(1, Math.floor(wanted.length / 3)) ? best.word : undefined;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
