import type { KindDefinition, KubeObject, ResourceType } from '@arc/apimachinery';
import type { ResourceCache } from '@arc/storage';
import type { Encodings } from '../representation/encodings.ts';
import type { Connector, ReviewHandler } from './connector.ts';

export interface Conversion {
  readonly fromStored: (object: KubeObject) => KubeObject;
  readonly toStored: (object: KubeObject) => KubeObject;
}

/** One resource of the API: a kind under one group and version, and where its objects live. */
export interface ServedResource {
  /** As clients see it. */
  readonly definition: KindDefinition;
  /** As it is stored; another one only for kinds served under a second group and version. */
  readonly stored: KindDefinition;
  readonly conversion: Conversion | undefined;
  readonly type: ResourceType;
  readonly verbs: ReadonlySet<string>;
  readonly connectors: readonly Connector[];
  /** Keys are this followed by `<namespace>/<name>`, or by the name alone at the cluster scope. */
  readonly prefix: string;
  /** Undefined for kinds that are never stored. */
  readonly cache: ResourceCache | undefined;
  /** Shared by all resources of a server. */
  readonly encodings: Encodings;
  readonly review: ReviewHandler | undefined;
}

export function storeKey({ prefix, type }: ServedResource, namespace: string, name: string): string {
  return type.namespaced ? `${prefix}${namespace}/${name}` : `${prefix}${name}`;
}

/** True for the core Namespace kind, whose deletion and finalizers have rules of their own. */
export function isNamespaceKind(definition: KindDefinition): boolean {
  return definition.group === '' && definition.kind === 'Namespace';
}
