export { arcctlCommand, startEmbeddedArc } from './arc/embedded-arc.ts';
export type { EmbeddedArc, EmbeddedArcOptions } from './arc/embedded-arc.ts';
export { findKubectls, kubectlRunner } from './kubectl/kubectl.ts';
export type { Kubectl } from './kubectl/kubectl.ts';
export { argoDefinitions, findArgoProgram, missingArgo, missingArgoDefinitions, startWorkflowController } from './parts/argo.ts';
export type { ArgoDefinitions, WorkflowController, WorkflowControllerOptions } from './parts/argo.ts';
export { startDockerRegistry } from './parts/docker-registry.ts';
export type { DockerRegistry } from './parts/docker-registry.ts';
export { startTokenService } from './parts/token-service.ts';
export type { TokenService } from './parts/token-service.ts';
export { startEtcd, startEtcdCluster } from './parts/etcd.ts';
export type { EtcdOptions, EtcdServer } from './parts/etcd.ts';
export { findKine, startKine } from './parts/kine.ts';
export type { KineServer } from './parts/kine.ts';
export { startForwardProxy } from './network/forward-proxy.ts';
export type { ForwardProxy } from './network/forward-proxy.ts';
export { startFaultyProxy } from './network/faulty-proxy.ts';
export type { Cut, FaultyProxy } from './network/faulty-proxy.ts';
export { kubernetesEtcd, kubernetesVersion, missingKubernetes, startKubeApiserver, startKubeControllers } from './parts/kubernetes.ts';
export type { KubeApiserver, KubeApiserverOptions, KubeControllers } from './parts/kubernetes.ts';
export { missingMinio, startMinio } from './parts/minio.ts';
export type { Minio } from './parts/minio.ts';
export { missingPgBouncer, startPgBouncer } from './parts/pgbouncer.ts';
export type { PgBouncer, PgBouncerOptions } from './parts/pgbouncer.ts';
export { missingRclone, startRcloneWebdav } from './parts/rclone.ts';
export type { WebdavServer } from './parts/rclone.ts';
export { missingPostgres, postgresVersion, startPostgres } from './parts/postgres.ts';
export type { PostgresOptions, PostgresServer } from './parts/postgres.ts';
export { eventually } from './process/eventually.ts';
export type { EventuallyOptions } from './process/eventually.ts';
export { freePort } from './process/free-port.ts';
export { findProgram, findTool } from './process/find-program.ts';
export { runCommand } from './process/run.ts';
export type { CommandResult, RunOptions } from './process/run.ts';
export { startFileServer } from './files/file-server.ts';
export type { FileServer, FileServerOptions } from './files/file-server.ts';
export { buildChart, helmRepository } from './helm/build-chart.ts';
export type { BuiltChart, ChartOptions, HelmRepositoryOptions } from './helm/build-chart.ts';
export { buildImage, buildReferrer, mediaTypes } from './image/build-image.ts';
export type { BuiltImage, BuiltManifest, ImageOptions } from './image/build-image.ts';
export { seedRegistry } from './image/seed-registry.ts';
export { tar } from './image/tar.ts';
export type { Files } from './image/tar.ts';
export type { RegistryAuth } from './registry/access.ts';
export { digestOf } from './registry/content.ts';
export type { RegistryContent, StoredManifest } from './registry/content.ts';
export type { Fault, FaultAction, FaultPlan, FaultRule } from './registry/faults.ts';
export type { LoggedRequest, RepositoryWriters, RequestLog, TagWrite, WriterLog } from './registry/request-log.ts';
export {
  buildBundleReferrer,
  buildLegacyAttestation,
  buildLegacySignature,
  keyBundle,
  legacySignature,
  legacyTag,
  messageSignature,
  signBytes,
  signedEnvelope,
  signedStatement,
  simpleSigningPayload,
} from './signing/sign-image.ts';
export { startGnupg } from './signing/gnupg.ts';
export { createSigstore, keylessIssuer, keylessSubject } from './signing/sigstore-instance.ts';
export type { KeylessBundle, KeylessOptions, SigstoreInstance } from './signing/sigstore-instance.ts';
export { startS3Server } from './s3/s3-server.ts';
export type { S3Server, S3ServerOptions } from './s3/s3-server.ts';
export type { S3User } from './s3/signature-check.ts';
export { startTestRegistry } from './registry/test-registry.ts';
export type { TestRegistry, TestRegistryOptions } from './registry/test-registry.ts';
