export type {
  ClientListOptions,
  ClientWatchOptions,
  DeleteOptions,
  KubeClient,
  ObjectRef,
  PatchType,
  RawRequest,
  RawResponse,
  RequestOptions,
  SelectorOptions,
  WriteOptions,
} from './client.ts';
export type { IndexFunction, Informer, InformerHandler } from './informer.ts';
export { createInformer } from './create-informer.ts';
export type { InformerOptions } from './create-informer.ts';
export type { ClientConfig } from './client-config.ts';
export { ConnectionError } from './connection-error.ts';
export { createKubeClient } from './create-kube-client.ts';
export type { KubeClientOptions } from './create-kube-client.ts';
export { inClusterConfig } from './in-cluster.ts';
export type { InClusterOptions } from './in-cluster.ts';
export { clientConfigOf, loadKubeconfig } from './kubeconfig.ts';
export type { Kubeconfig, KubeconfigEntry, KubeconfigSource } from './kubeconfig.ts';
export { readIfThere } from './read-if-there.ts';
export { writeKubeconfig } from './write-kubeconfig.ts';
export type { KubeconfigContext } from './write-kubeconfig.ts';
export { discover, findResource } from './discover.ts';
export type { DiscoveredResource } from './discover.ts';
export { createEventRecorder } from './event-recorder.ts';
export type { EventRecorder, EventRecorderOptions, RecordedEvent } from './event-recorder.ts';
