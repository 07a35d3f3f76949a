export { anonymous, fixedCredential } from './auth/credential.ts';
export type { Credential, CredentialSource } from './auth/credential.ts';
export { copyArtifact, expectedDescriptor } from './copy/copy-artifact.ts';
export type { CopyOptions, CopyResult, Rewritten } from './copy/copy-artifact.ts';
export { attribute, CopyError } from './copy/copy-error.ts';
export type { CopyOrigin } from './copy/copy-error.ts';
export type { BlobOutcome, CopyEvent } from './copy/copy-events.ts';
export { ProgressRecorder } from './copy/progress-record.ts';
export type { ConflictPolicy, KeptTag } from './copy/tag-conflict.ts';
export type { ReferrerPolicy } from './copy/copy-referrers.ts';
export { verifyArtifact } from './copy/verify-artifact.ts';
export type { VerifyOptions, VerifyResult } from './copy/verify-artifact.ts';
export { parseDockerConfig } from './credentials/docker-config.ts';
export { readSecretDirectory } from './credentials/secret-directory.ts';
export type { EndpointSecret } from './credentials/secret-directory.ts';
export { matchesPlatform } from './copy/platforms.ts';
export { formatPlatform } from './descriptor/descriptor.ts';
export type { Descriptor, Platform } from './descriptor/descriptor.ts';
export { isIndexType, mediaTypes } from './descriptor/media-types.ts';
export { parseManifest } from './descriptor/manifest.ts';
export type { Manifest } from './descriptor/manifest.ts';
export { parseStrictJson } from './descriptor/strict-json.ts';
export { digestOf, isDigest, parseDigest } from './digest/digest.ts';
export type { Digest } from './digest/digest.ts';
export { HttpTransport } from './http/http-transport.ts';
export type { HttpRequest, HttpTransportOptions, RetryNotice } from './http/http-transport.ts';
export { defaultRetryPolicy } from './http/retry.ts';
export type { RetryPolicy } from './http/retry.ts';
export type { MinThroughput } from './http/throughput-floor.ts';
export type { TlsOptions, WireResponse } from './http/wire.ts';
export { OciLayout } from './oci/layout.ts';
export { openEndpoint } from './oci/open-repository.ts';
export type { OpenEndpoint, OpenEndpointOptions } from './oci/open-repository.ts';
export { RegistryClient } from './oci/registry-client.ts';
export type { MountOutcome, UploadSession } from './oci/registry-client.ts';
export { RegistryRepository } from './oci/registry-repository.ts';
export type { RegistryRepositoryOptions } from './oci/registry-repository.ts';
export type {
  Fetcher,
  Mounter,
  Pusher,
  ReadableRepository,
  ReferrerLister,
  RequestOptions,
  Resolver,
  Tagger,
  TagLister,
  WritableRepository,
} from './oci/repository.ts';
export { isLoopbackHost, parseEndpointURL, repositoryAt } from './reference/endpoint-url.ts';
export type { EndpointLocation } from './reference/endpoint-url.ts';
export { formatImageReference, parseImageReference } from './reference/image-reference.ts';
export type { ImageReference } from './reference/image-reference.ts';
export { parseOciArtifactSpec, referenceOf } from './spec/oci-artifact-spec.ts';
export type { OciArtifact } from './spec/oci-artifact-spec.ts';
export { globMatcher } from './versions/glob.ts';
export { listVersions } from './versions/list-versions.ts';
export type { ListedVersion, ListVersionsOptions } from './versions/list-versions.ts';
export { compareVersions, parseVersion } from './versions/semantic-version.ts';
export type { SemanticVersion } from './versions/semantic-version.ts';
export { parseRange } from './versions/version-range.ts';
export type { VersionRange } from './versions/version-range.ts';
export { BandwidthLimit } from './copy/bandwidth-limit.ts';
export { parseBaseURL, resolveBelow } from './files/base-url.ts';
export { checksumsLimit, digestFromChecksums } from './files/checksums.ts';
export { FileDirectory } from './files/file-directory.ts';
export type { FileFacts, FileSource, SourceFile } from './files/file-source.ts';
export { choosePath } from './files/choose-path.ts';
export { HttpSource } from './files/http-source.ts';
export { HttpStore } from './files/http-store.ts';
export { ArtifactFileSource } from './oci/artifact-file-source.ts';
export type { FileContent, FileStore, VersionedFile } from './files/file-store.ts';
export { HttpFile } from './files/http-file.ts';
export type { HttpFileOptions } from './files/http-file.ts';
export { stageFile } from './files/staged-file.ts';
export type { StagedFile } from './files/staged-file.ts';
export { blobOf, ComposedArtifact, emptyConfig, readVerified } from './oci/composed-artifact.ts';
export type { ComposedBlob, ComposedManifest } from './oci/composed-artifact.ts';
export { tagConflict } from './copy/tag-conflict.ts';
export { parseFileArtifactSpec } from './spec/file-artifact-spec.ts';
export type { FileArtifact } from './spec/file-artifact-spec.ts';
export { isTransferError, TransferError } from './transfer-error.ts';
export type { TransferErrorCode, TransferErrorOptions } from './transfer-error.ts';
export { ArchiveFiles } from './oci/archive-files.ts';
export { DirectoryFiles } from './oci/directory-files.ts';
export type { LayoutFiles } from './oci/layout-files.ts';
export { forEachBounded } from './copy/bounded.ts';
export { proxyFromEnvironment } from './http/proxy.ts';
export type { ProxySelector } from './http/proxy.ts';
