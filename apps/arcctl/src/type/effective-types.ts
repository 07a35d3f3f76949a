import { allowedEndpointTypes, artifactTypes, clusterArtifactTypes } from '@arc/api/arc';
import type { AnyArtifactType } from '@arc/api/arc';
import type { ResourceType } from '@arc/apimachinery/client';
import { connect } from '../cluster/connection.ts';
import type { Invocation } from '../command.ts';

/** A type as Orders of a namespace see it. */
export interface EffectiveType {
  readonly object: AnyArtifactType;
  readonly type: ResourceType;
  /** The namespace, or `cluster`. */
  readonly scope: string;
  /** Endpoint types it accepts; `any` where it names none. */
  readonly from: string;
  readonly to: string;
  /** `workflowtemplate/NAME` or `clusterworkflowtemplate/NAME`. */
  readonly template: string;
}

/** Those of the namespace, and those of the cluster that none of the namespace hides, in the order of their names. */
export async function effectiveTypes(invocation: Invocation): Promise<readonly EffectiveType[]> {
  const { signal } = invocation;
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const own = await client.list<AnyArtifactType>(artifactTypes, { namespace, signal });
  const shared = await client.list<AnyArtifactType>(clusterArtifactTypes, { signal });
  const found = new Map([
    ...shared.items.map((object) => [object.metadata.name ?? '', describe(object, clusterArtifactTypes, 'cluster')] as const),
    ...own.items.map((object) => [object.metadata.name ?? '', describe(object, artifactTypes, namespace)] as const),
  ]);
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, type]) => type);
}

function describe(object: AnyArtifactType, type: ResourceType, scope: string): EffectiveType {
  const { name = '', clusterScope } = object.spec?.workflowTemplateRef ?? {};
  const allowed = (side: 'source' | 'destination'): string => allowedEndpointTypes(object.spec, side).join(',') || 'any';
  return {
    object,
    type,
    scope,
    from: allowed('source'),
    to: allowed('destination'),
    template: name === '' ? '-' : `${clusterScope === true ? 'clusterworkflowtemplate' : 'workflowtemplate'}/${name}`,
  };
}
