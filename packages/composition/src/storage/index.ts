export { etcdOptions } from './etcd-options.ts';
export { embeddedKinds, servedResources } from './served-kinds.ts';
export { openStore, parseStorageUrl } from './storage-url.ts';
export type { StorageChoice } from './storage-url.ts';
