import { ArcError, systemClock } from '@arc/kernel';
import {
  attribute,
  BandwidthLimit,
  checksumsLimit,
  choosePath,
  ComposedArtifact,
  type ComposedBlob,
  type Digest,
  digestFromChecksums,
  emptyConfig,
  type FileArtifact,
  type FileFacts,
  type FileSource,
  parseFileArtifactSpec,
  type SourceFile,
  stageFile,
  TransferError,
} from '@arc/transfer';
import type { Check } from '@arc/trust';
import { formatBytes, shortDigest } from './byte-text.ts';
import { type Delivered, type DeliveryContext, deliverToRegistry, deliverToStore } from './delivery/deliver.ts';
import type { DeliveryReceipt } from './delivery/delivery-receipt.ts';
import { openFileSource } from './delivery/open-source.ts';
import { openStore } from './delivery/open-store.ts';
import { pairs } from './delivery/pairs.ts';
import { requireTypes, type WorkerEnvironment } from './environment.ts';
import { ProgressFile } from './progress-file.ts';
import { writeReceipt } from './write-receipt.ts';

/** Most files of one artifact: their receipt has to stay below the 256 KiB that Argo keeps of an output. */
const filesLimit = 500;

/** Brings one file, or all below a path, from a web server, bucket, directory or registry to any of them, and writes the receipt. */
export async function blobCopy(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const startedAt = systemClock.now();
  requireTypes(environment, pairs.blob);
  if (environment.policy !== undefined)
    throw new ArcError('InvalidConfiguration', 'ARC_POLICY: signatures of files are not verified by this step', {
      hint: 'Leave it out, and demand a digest or a file of checksums instead.',
    });
  const spec = parseFileArtifactSpec(environment.specJSON, environment.source.type === 'http' ? 'url' : 'plain');
  if (environment.destination.type === 'oci' && spec.version === undefined) spec.registryTarget(undefined);
  using source = await openFileSource(environment, write, signal);
  const progress = new ProgressFile(environment.progressFile, systemClock);
  const context: DeliveryContext = { environment, onConflict: spec.onConflict ?? environment.onConflict, progress, write, signal };
  await using files = new AsyncDisposableStack();
  const { paths, version } = await pathsOf(spec, source, signal);
  const found: FoundFile[] = [];
  for (const path of paths) found.push(files.use(await find(path, { source, spec, version, isOnly: paths.length === 1 }, context)));
  const name = `${source.name}/${spec.path}`;
  const reference = found.length === 1 ? (found[0]?.source ?? name) : name;
  const delivered =
    environment.destination.type === 'oci'
      ? await deliverToRegistry(artifactOf(reference, spec, found), spec.registryTarget(version), context)
      : await deliverFiles(reference, found, context);
  progress.flush();
  const nothingDelivered = environment.dryRun || delivered.destination.references.length === 0;
  const receipt: DeliveryReceipt = {
    schemaVersion: 1,
    kind: 'blob-copy',
    source: { reference, digest: found[0]?.blob.digest ?? '', ...(version === undefined ? {} : { version }) },
    ...delivered,
    files: found.map(({ name, blob: { digest, size }, path }) => ({ name, digest, size, ...(path === name ? {} : { path }) })),
    checks: [digestCheck(found, nothingDelivered)],
    dryRun: environment.dryRun,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(systemClock.now()).toISOString(),
  };
  await writeReceipt(environment.receiptFile, receipt);
}

/** One file, ready to be delivered. Disposing it removes what was staged. */
interface FoundFile extends AsyncDisposable {
  /** Where it came from. */
  readonly source: string;
  readonly name: string;
  /** Where it goes in a place that has paths. */
  readonly path: string;
  readonly blob: ComposedBlob;
  readonly expected: Expectation | undefined;
}

/** Delivers files to a place that has paths. @throws CopyError */
export async function deliverFiles(
  reference: string,
  files: readonly Pick<FoundFile, 'path' | 'blob'>[],
  context: DeliveryContext,
): Promise<Delivered> {
  const { environment, write, signal } = context;
  using opened = await openStore(environment, write, signal);
  return await deliverToStore(reference, files, opened.store, context);
}

interface Expectation {
  readonly digest: Digest;
  /** Who says so. */
  readonly from: string;
}

async function pathsOf(
  spec: FileArtifact,
  source: FileSource,
  signal: AbortSignal,
): Promise<{ readonly paths: readonly string[]; readonly version: string | undefined }> {
  const { path, version: range } = spec;
  if (range !== undefined) {
    const chosen = await attribute('source', 'list', `${source.name}/${path}`, signal, () => choosePath(source, path, range, { signal }));
    return { paths: [chosen.path], version: chosen.version };
  }
  if (!path.endsWith('/')) return { paths: [path], version: undefined };
  return attribute('source', 'list', `${source.name}/${path}`, signal, async () => {
    if (source.list === undefined)
      throw new TransferError('InvalidReference', `${source.name} cannot list its files`, { hint: 'Order each file by its path.' });
    const paths = (await Array.fromAsync(source.list(path, { limit: filesLimit, signal }))).sort();
    if (paths.length > 0) return { paths, version: undefined };
    throw new TransferError('NotFound', `${source.name} has no files below ${path}`, { hint: 'Check spec.path.' });
  });
}

async function find(
  path: string,
  {
    source,
    spec,
    version,
    isOnly,
  }: { readonly source: FileSource; readonly spec: FileArtifact; readonly version: string | undefined; readonly isOnly: boolean },
  context: DeliveryContext,
): Promise<FoundFile> {
  const { environment, write, signal } = context;
  const file = await attribute('source', 'find', path, signal, () => Promise.resolve(source.file(path)));
  write(`${environment.dryRun ? 'planning ' : 'copying  '} ${file.name}`);
  const facts = await attribute('source', 'look at', file.name, signal, () => file.look({ signal }));
  const name = spec.path.endsWith('/') ? path.slice(spec.path.length) : spec.nameOf(path, facts.title);
  const expected = (await expectedDigest(spec, path, source, signal)) ?? said(facts, source);
  const blob = await obtain(file, { facts, expected: expected?.digest, spec, title: name, isOnly }, context);
  return {
    source: file.name,
    name,
    path: environment.destination.type === 'oci' ? name : spec.destinationPath(path, { name, version }),
    expected,
    ...blob,
  };
}

/** What the source computed itself proves the way from there, as the digest in an index does. */
function said({ digest }: FileFacts, source: FileSource): Expectation | undefined {
  return digest === undefined ? undefined : { digest, from: source.name };
}

async function expectedDigest(spec: FileArtifact, path: string, source: FileSource, signal: AbortSignal): Promise<Expectation | undefined> {
  if (spec.digest !== undefined) return { digest: spec.digest, from: 'the order' };
  const { checksums } = spec;
  if (checksums === undefined) return undefined;
  return attribute('source', 'read checksums', checksums, signal, async () => {
    const file = source.file(checksums);
    const text = (await file.readAll(checksumsLimit, { signal })).toString('utf8');
    return { digest: digestFromChecksums(text, spec.publishedName(path), file.name), from: file.name };
  });
}

/** The digest of the whole is compared wherever bytes pass, so reaching the end means that it was right. */
function digestCheck(found: readonly FoundFile[], nothingDelivered: boolean): Check {
  const unknown = found.filter(({ expected }) => expected === undefined);
  if (unknown.length > 0) {
    const who = 'the order names neither a digest nor a file of checksums, and the source says none';
    return {
      name: 'digest',
      result: 'skipped',
      detail: found.length === 1 ? who : `of ${unknown.length} of ${found.length} files: ${who}`,
    };
  }
  if (nothingDelivered) return { name: 'digest', result: 'skipped', detail: 'nothing was delivered' };
  const [first] = found;
  const detail =
    found.length === 1
      ? `${first?.expected?.digest}, says ${first?.expected?.from}`
      : `${found.length} files, says ${first?.expected?.from}`;
  return { name: 'digest', result: 'passed', detail };
}

/**
 * The content as a blob. Where its SHA-256 and size are known beforehand it is streamed, and not even asked for when the
 * destination has it; else it is staged on disk to learn them.
 */
async function obtain(
  file: SourceFile,
  {
    facts,
    expected,
    spec,
    title,
    isOnly,
  }: {
    readonly facts: FileFacts;
    readonly expected: Digest | undefined;
    readonly spec: FileArtifact;
    readonly title: string;
    readonly isOnly: boolean;
  },
  { environment, progress, write, signal }: DeliveryContext,
): Promise<{ readonly blob: ComposedBlob } & AsyncDisposable> {
  const annotations = { 'org.opencontainers.image.title': title };
  const { mediaType } = spec;
  const { size } = facts;
  if (expected?.startsWith('sha256:') === true && size !== undefined) {
    const open = (stop: AbortSignal | undefined): AsyncIterable<Buffer> => file.read({ signal: stop });
    return { blob: { mediaType, digest: expected, size, annotations, open }, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const limit = environment.maxBytesPerSecond === 0 ? undefined : new BandwidthLimit(environment.maxBytesPerSecond, systemClock);
  async function* counted(): AsyncGenerator<Buffer> {
    let received = 0;
    for await (const chunk of file.read({ signal })) {
      await limit?.take(chunk.length, signal);
      yield chunk;
      received += chunk.length;
      if (size !== undefined && isOnly) progress.update(received, size);
    }
  }
  const staged = await attribute('source', 'read', file.name, signal, () =>
    stageFile(counted(), file.name, { directory: environment.stagingDirectory, expected }),
  );
  write(`staged    ${formatBytes(staged.size)}, ${shortDigest(staged.sha256)}`);
  const blob = { mediaType, digest: staged.sha256, size: staged.size, annotations, open: staged.read };
  return { blob, [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose]() };
}

/** The artifact that files are in a registry. */
export function artifactOf(name: string, spec: FileArtifact, files: readonly Pick<FoundFile, 'blob'>[]): ComposedArtifact {
  return new ComposedArtifact(name, { artifactType: spec.artifactType, config: emptyConfig, layers: files.map(({ blob }) => blob) });
}
