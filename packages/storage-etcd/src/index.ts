export { diagnoseEtcd } from './diagnose.ts';
export type { EtcdTls } from './client/endpoints.ts';
export type { EtcdCredentials } from './client/etcd-client.ts';
export { openEtcdStore } from './etcd-store.ts';
export type { EtcdStoreOptions } from './etcd-store.ts';
export { etcdOptionsOf } from './etcd-url.ts';
export type { EtcdLayoutOptions } from './etcd-layout.ts';
export { inspectEtcd } from './inspect.ts';
export { openEtcdImport } from './import-target.ts';
