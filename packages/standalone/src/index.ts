export { ensureDefaultRbac } from './default-rbac.ts';
export { garbageCollector } from './garbage-collector.ts';
export type { GarbageCollectorOptions } from './garbage-collector.ts';
export { createMetadataInformers } from './metadata-informers.ts';
export type { KnownObject, MetadataInformers, MetadataInformersOptions } from './metadata-informers.ts';
export { namespaceController } from './namespace-controller.ts';
export type { NamespaceControllerOptions } from './namespace-controller.ts';
export { standaloneControllers } from './standalone-controllers.ts';
