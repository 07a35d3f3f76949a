import type { AnyArtifactType, ArtifactWorkflowSpec, Endpoint } from '@arc/api/arc';
import { allowedEndpointTypes, dryRunParameter } from '@arc/api/arc';
import type { Secret } from '@arc/api/core';

/** One side of a transfer as the document has it. */
interface ConfiguredEndpoint {
  readonly name: string;
  readonly type: string;
  readonly remoteURL: string;
  /** Absent when the Endpoint has no Secret. */
  readonly credentials?: ConfiguredSecret;
  /** Absent when the Endpoint says nothing about TLS; `certificate` is the Secret of its client certificate. */
  readonly tls?: { readonly ca?: string; readonly serverName?: string; readonly certificate?: ConfiguredSecret };
  readonly maxBytesPerSecond?: number;
}

interface ConfiguredSecret {
  readonly type: string;
  readonly values: Record<string, string>;
  readonly binary?: Record<string, string>;
}

/** What `config.json` holds. */
interface ConfigDocument {
  readonly endpoints: { readonly source?: ConfiguredEndpoint; readonly destination?: ConfiguredEndpoint };
  readonly artifact: { readonly type: string; readonly spec: unknown };
  readonly policy: { readonly dryRun: boolean; readonly srcTypes: readonly string[]; readonly dstTypes: readonly string[] };
}

export interface ConfigSide<S> {
  readonly endpoint: Endpoint;
  readonly secret: S | undefined;
  /** That of the Endpoint's `spec.tls`. */
  readonly tlsSecret: S | undefined;
}

/** All that decides what the document says; `S` is the Secret itself, or what stands for it. */
export interface ConfigInputs<S> {
  readonly spec: ArtifactWorkflowSpec;
  readonly type: AnyArtifactType | undefined;
  readonly source: ConfigSide<S> | undefined;
  readonly destination: ConfigSide<S> | undefined;
}

/** Endpoints with their credentials, the artifact and the policy in force, as one JSON document. */
export function configDocument({ spec, type, source, destination }: ConfigInputs<Secret>): ConfigDocument {
  const parameter = (name: string): string | undefined => spec.parameters?.find((candidate) => candidate.name === name)?.value;
  return {
    endpoints: {
      ...(source !== undefined && { source: configured(source) }),
      ...(destination !== undefined && { destination: configured(destination) }),
    },
    artifact: { type: spec.type ?? '', spec: parsed(parameter('specJSON')) },
    policy: {
      dryRun: parameter(dryRunParameter) === 'true',
      srcTypes: allowedEndpointTypes(type?.spec, 'source'),
      dstTypes: allowedEndpointTypes(type?.spec, 'destination'),
    },
  };
}

function configured({ endpoint, secret, tlsSecret }: ConfigSide<Secret>): ConfiguredEndpoint {
  const { metadata, spec } = endpoint;
  const { ca = '', serverName = '' } = spec?.tls ?? {};
  const tls = {
    ...(ca !== '' && { ca }),
    ...(serverName !== '' && { serverName }),
    ...(tlsSecret !== undefined && { certificate: credentialsOf(tlsSecret) }),
  };
  return {
    name: metadata.name ?? '',
    type: spec?.type ?? '',
    remoteURL: spec?.remoteURL ?? '',
    ...(secret !== undefined && { credentials: credentialsOf(secret) }),
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(spec?.maxBytesPerSecond !== undefined && { maxBytesPerSecond: spec.maxBytesPerSecond }),
  };
}

function credentialsOf(secret: Secret): ConfiguredSecret {
  const values: [string, string][] = [];
  const binary: [string, string][] = [];
  for (const [key, encoded] of Object.entries(secret.data ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const bytes = Buffer.from(encoded, 'base64');
    const text = bytes.toString('utf8');
    // What is no text survives only in base64.
    if (Buffer.from(text).equals(bytes)) values.push([key, text]);
    else binary.push([key, encoded]);
  }
  return {
    type: secret.type ?? 'Opaque',
    values: Object.fromEntries(values),
    ...(binary.length > 0 && { binary: Object.fromEntries(binary) }),
  };
}

function parsed(text: string | undefined): unknown {
  if (text === undefined) return {};
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
