export { diagnoseEtcd } from './diagnose.ts';
export type { EtcdTls } from './client/endpoints.ts';
export type { EtcdCredentials } from './client/etcd-client.ts';
export { openEtcdStore } from './etcd-store.ts';
export type { EtcdStoreOptions } from './etcd-store.ts';
export { etcdOptionsOf } from './etcd-url.ts';
export { openEtcdImport } from './import-target.ts';
export type { KeyLayoutOptions } from './key-layout.ts';
