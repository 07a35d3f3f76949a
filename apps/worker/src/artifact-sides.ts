import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { messageOf } from '@arc/kernel';
import {
  attribute,
  type CopyOrigin,
  type OciArtifact,
  type OpenEndpoint,
  openEndpoint,
  type OpenEndpointOptions,
  parseEndpointURL,
  parseOciArtifactSpec,
  type ReadableRepository,
  readSecretDirectory,
  referenceOf,
  type TlsOptions,
  TransferError,
  type WritableRepository,
} from '@arc/transfer';
import type { SideEnvironment, WorkerEnvironment } from './environment.ts';
import { version } from './version.ts';

/** Both ends of one artifact, opened. Disposing closes their connections. */
export interface ArtifactSides extends Disposable {
  readonly artifact: OciArtifact;
  readonly source: ReadableRepository;
  readonly destination: WritableRepository;
  /** Tag or digest to ask the source for. */
  readonly reference: string;
}

/** Told apart by registries (and their logs): one instance, one id. */
const userAgent = `arc-worker/${version} (${randomBytes(4).toString('hex')})`;

/** @throws CopyError for what concerns one side; TransferError for the artifact's spec */
export async function openSides(environment: WorkerEnvironment, log: (line: string) => void): Promise<ArtifactSides> {
  using opened = new DisposableStack();
  const sourceEndpoint = opened.use(await openSide('source', environment, log));
  const destinationEndpoint = opened.use(await openSide('destination', environment, log));
  const artifact = parseOciArtifactSpec(environment.specJSON, sourceEndpoint.location);
  const source = await attribute('source', 'open', artifact.source.repository, undefined, () =>
    sourceEndpoint.source(artifact.source.repository),
  );
  const destination = await attribute('destination', 'open', artifact.repository, undefined, () =>
    destinationEndpoint.destination(artifact.repository),
  );
  const owned = opened.move();
  return { artifact, source, destination, reference: referenceOf(artifact.source), [Symbol.dispose]: () => owned.dispose() };
}

/** Opens a registry or layout. @throws CopyError */
export function openSide(
  origin: CopyOrigin,
  environment: WorkerEnvironment,
  log: (line: string) => void,
  signal?: AbortSignal,
): Promise<OpenEndpoint> {
  return attribute(origin, 'use', 'the endpoint', signal, async () => {
    const side = environment[origin];
    return openEndpoint(parseEndpointURL(side.url), await sideOptions(origin, side, environment, log));
  });
}

/** How to talk to one side: credentials, certificates and limits. @throws TransferError `InvalidCredentials` */
export async function sideOptions(
  origin: CopyOrigin,
  side: SideEnvironment,
  environment: Pick<WorkerEnvironment, 'chunkBytes' | 'minBytesPerSecond' | 'proxy'>,
  log: (line: string) => void,
): Promise<OpenEndpointOptions> {
  const secret = await readSecretDirectory(side.secretDirectory);
  const { cert: _cert, key: _key, ...authorities } = secret.tls;
  const tls = side.isElsewhere === true ? authorities : secret.tls;
  return {
    ...(await connectionOptions(origin, side, environment, { tls, log })),
    credentials: secret.credentials,
    trustedAuthHosts: side.trustedHosts,
    chunkBytes: environment.chunkBytes,
    onResume: ({ digest, offset, reason, delayMs }) =>
      log(`waiting   ${seconds(delayMs)}, then on from byte ${offset} of ${digest} (${origin}: ${reason})`),
  };
}

/** The same without credentials. @throws TransferError `InvalidCredentials` */
export async function connectionOptions(
  origin: CopyOrigin,
  side: SideEnvironment,
  environment: Pick<WorkerEnvironment, 'minBytesPerSecond' | 'proxy'>,
  { tls, log }: { readonly tls: TlsOptions; readonly log: (line: string) => void },
): Promise<Pick<OpenEndpointOptions, 'userAgent' | 'tls' | 'proxy' | 'trustedHosts' | 'minThroughput' | 'onRetry' | 'onWarning'>> {
  const authority = side.caFile === undefined ? tls.ca : await readAuthority(side.caFile);
  const ca = [authority, side.ca].filter((pem) => pem !== undefined).join('\n');
  const { minBytesPerSecond } = environment;
  return {
    userAgent,
    tls: {
      ...tls,
      ...(ca === '' ? {} : { ca }),
      ...(side.serverName === undefined ? {} : { serverName: side.serverName }),
      ...(side.insecureSkipTlsVerify ? { insecureSkipVerify: true } : {}),
    },
    trustedHosts: side.trustedHosts,
    proxy: environment.proxy,
    minThroughput: minBytesPerSecond === 0 ? undefined : { bytesPerSecond: minBytesPerSecond, windowMs: 60_000 },
    onWarning: (text) => log(`warning   ${origin}: ${text}`),
    onRetry: ({ operation, reason, delayMs }) => log(`waiting   ${seconds(delayMs)}, then again: ${operation} (${origin}: ${reason})`),
  };
}

async function readAuthority(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new TransferError('InvalidCredentials', `cannot read the certificate of the authority: ${messageOf(error)}`, {
      hint: 'Check the file and its mount.',
    });
  }
}

/** `1.5 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
