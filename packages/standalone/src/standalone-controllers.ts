import type { ControllerDefinition } from '@arc/controller';
import { garbageCollector } from './garbage-collector.ts';
import { createMetadataInformers } from './metadata-informers.ts';
import type { MetadataInformersOptions } from './metadata-informers.ts';
import { namespaceController } from './namespace-controller.ts';

/** Everything a server without kube-controller-manager needs, over one watch a resource. */
export function standaloneControllers(options: MetadataInformersOptions): readonly ControllerDefinition[] {
  const metadata = createMetadataInformers(options);
  return [garbageCollector({ ...options, metadata }), namespaceController({ ...options, metadata })];
}
