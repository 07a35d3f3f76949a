import { clusterRoles } from '@arc/api/rbac';
import type { ControllerDefinition } from '@arc/controller';
import { clusterRoleAggregation } from './cluster-role-aggregation.ts';
import { garbageCollector } from './garbage-collector.ts';
import { createMetadataInformers } from './metadata-informers.ts';
import type { MetadataInformersOptions } from './metadata-informers.ts';
import { namespaceController } from './namespace-controller.ts';

/** Everything a server without kube-controller-manager needs, over one watch a resource. */
export function standaloneControllers(options: MetadataInformersOptions): readonly ControllerDefinition[] {
  const metadata = createMetadataInformers(options);
  const aggregates = options.types.some(({ group, plural }) => group === clusterRoles.group && plural === clusterRoles.plural);
  return [
    garbageCollector({ ...options, metadata }),
    namespaceController({ ...options, metadata }),
    ...(aggregates ? [clusterRoleAggregation(options)] : []),
  ];
}
