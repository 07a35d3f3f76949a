import type { KubeObject, ResourceType } from '@arc/apimachinery';
import { parseApiVersion } from '@arc/apimachinery';
import type { Clock, Logger } from '@arc/kernel';
import type { Informer, KubeClient } from '@arc/kube-client';
import { createInformer } from '@arc/kube-client';

/** The metadata of an object and the resource it belongs to. */
export interface KnownObject {
  readonly type: ResourceType;
  readonly object: KubeObject;
}

/** The metadata of every object of some resources, kept up by watches, found by identity and by owner. */
export interface MetadataInformers {
  readonly types: readonly ResourceType[];
  informerOf(type: ResourceType): Informer<KubeObject>;
  byUid(uid: string): KnownObject | undefined;
  /** Objects with an owner reference that means this object: a namespaced owner owns within its namespace only. */
  dependentsOf(owner: KubeObject): readonly KnownObject[];
  /** The resource a reference means; the version does not matter, all versions of a group serve the same objects. */
  typeOf(reference: { readonly apiVersion: string; readonly kind: string }): ResourceType | undefined;
}

export interface MetadataInformersOptions {
  readonly client: KubeClient;
  /** Resources that can be listed, watched and deleted; one version of each. */
  readonly types: readonly ResourceType[];
  readonly logger?: Logger;
  readonly clock?: Clock;
}

/** The informers are run by whoever starts the controllers they are sources of. */
export function createMetadataInformers(options: MetadataInformersOptions): MetadataInformers {
  const { client, types, logger, clock } = options;
  const informers = new Map<ResourceType, Informer<KubeObject>>();
  const byKind = new Map<string, ResourceType>();
  for (const type of types) {
    const informer = createInformer<KubeObject>(client, type, {
      metadataOnly: true,
      transform: withoutBulk,
      indexes: {
        uid: ({ metadata }) => (metadata.uid === undefined ? [] : [metadata.uid]),
        owner: ({ metadata }) => [...new Set((metadata.ownerReferences ?? []).map(({ uid }) => uid))],
      },
      ...(logger !== undefined && { logger }),
      ...(clock !== undefined && { clock }),
    });
    informers.set(type, informer);
    byKind.set(`${type.group}/${type.kind}`, type);
  }

  function lookUp(index: string, value: string): KnownObject[] {
    const found: KnownObject[] = [];
    for (const [type, informer] of informers) {
      for (const object of informer.byIndex(index, value)) found.push({ type, object });
    }
    return found;
  }

  return {
    types,
    informerOf(type) {
      const informer = informers.get(type);
      if (informer === undefined) throw new TypeError(`no informer of ${type.plural} was asked for`);
      return informer;
    },
    byUid: (uid) => lookUp('uid', uid)[0],
    dependentsOf({ metadata }) {
      const dependents = lookUp('owner', metadata.uid ?? '');
      return metadata.namespace === undefined
        ? dependents
        : dependents.filter(({ object }) => object.metadata.namespace === metadata.namespace);
    },
    typeOf: ({ apiVersion, kind }) => byKind.get(`${parseApiVersion(apiVersion).group}/${kind}`),
  };
}

function withoutBulk({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { labels: _labels, annotations: _annotations, managedFields: _managedFields, ...kept } = metadata;
  return { apiVersion, kind, metadata: kept };
}
