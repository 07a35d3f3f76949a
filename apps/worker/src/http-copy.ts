import { systemClock } from '@arc/kernel';
import {
  attribute,
  BandwidthLimit,
  checksumsLimit,
  ComposedArtifact,
  type ComposedBlob,
  type Digest,
  digestFromChecksums,
  emptyConfig,
  type FileArtifact,
  HttpFile,
  HttpTransport,
  type OpenEndpointOptions,
  parseBaseURL,
  parseFileArtifactSpec,
  resolveBelow,
  stageFile,
} from '@arc/transfer';
import { seconds, sideOptions } from './artifact-sides.ts';
import { formatBytes, shortDigest } from './byte-text.ts';
import { type DeliveryContext, deliverToDirectory, deliverToRegistry } from './delivery/deliver.ts';
import type { Check, DeliveryReceipt } from './delivery/delivery-receipt.ts';
import { requireTypes, type WorkerEnvironment } from './environment.ts';
import { ProgressFile } from './progress-file.ts';
import { writeReceipt } from './write-receipt.ts';

/** Brings one file of a web server into a registry, an OCI layout or a directory, and writes the receipt. */
export async function httpCopy(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const startedAt = systemClock.now();
  requireTypes(environment, { source: ['http'], destination: ['oci', 'file'] });
  const spec = parseFileArtifactSpec(environment.specJSON);
  const target = environment.destination.type === 'oci' ? spec.registryTarget() : undefined;
  const path = target === undefined ? spec.directoryPath() : '';
  const side = await attribute('source', 'use', 'the endpoint', signal, async () => {
    const options = await sideOptions('source', environment.source, environment, write);
    return { options, base: parseBaseURL(environment.source.url) };
  });
  using transport = new HttpTransport(new URL(side.base.origin), { ...side.options, preemptive: true });
  const open = (path: string): HttpFile => openFile(transport, side.base, path, { environment, options: side.options, write });
  const source = await attribute('source', 'find', spec.path, signal, () => Promise.resolve(open(spec.path)));
  const progress = new ProgressFile(environment.progressFile, systemClock);
  write(`${environment.dryRun ? 'planning ' : 'copying  '} ${source.name}`);
  const expected = await expectedDigest(spec, open, signal);
  await using content = await obtain(source, expected?.digest, { spec, environment, progress, write, signal });
  const context: DeliveryContext = { environment, onConflict: spec.onConflict ?? environment.onConflict, progress, write, signal };
  const delivered =
    target === undefined
      ? await deliverToDirectory(source.name, [{ path, blob: content.blob }], context)
      : await deliverToRegistry(artifactOf(source.name, spec, content.blob), target, context);
  progress.flush();
  const receipt: DeliveryReceipt = {
    schemaVersion: 1,
    kind: 'http-copy',
    source: { reference: source.name, digest: content.blob.digest },
    ...delivered,
    files: [{ name: spec.name, digest: content.blob.digest, size: content.blob.size }],
    checks: [digestCheck(expected, environment.dryRun || delivered.destination.references.length === 0)],
    dryRun: environment.dryRun,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(systemClock.now()).toISOString(),
  };
  await writeReceipt(environment.receiptFile, receipt);
}

interface Expectation {
  readonly digest: Digest;
  /** Who says so. */
  readonly from: string;
}

async function expectedDigest(spec: FileArtifact, open: (path: string) => HttpFile, signal: AbortSignal): Promise<Expectation | undefined> {
  if (spec.digest !== undefined) return { digest: spec.digest, from: 'the order' };
  const { checksums } = spec;
  if (checksums === undefined) return undefined;
  return attribute('source', 'read checksums', checksums, signal, async () => {
    const file = open(checksums);
    const text = (await file.readAll(checksumsLimit, { signal })).toString('utf8');
    return { digest: digestFromChecksums(text, spec.publishedName, file.name), from: file.name };
  });
}

/** The digest of the whole is compared wherever bytes pass, so reaching the end means that it was right. */
function digestCheck(expected: Expectation | undefined, nothingDelivered: boolean): Check {
  if (expected === undefined)
    return { name: 'digest', result: 'skipped', detail: 'the order names neither a digest nor a file of checksums' };
  if (nothingDelivered) return { name: 'digest', result: 'skipped', detail: 'nothing was delivered' };
  return { name: 'digest', result: 'passed', detail: `${expected.digest}, says ${expected.from}` };
}

interface Content extends AsyncDisposable {
  readonly blob: ComposedBlob;
}

/**
 * The content as a blob. Where its SHA-256 and size are known beforehand it is streamed, and not even asked for when the
 * destination has it; else it is staged on disk to learn them.
 */
async function obtain(
  source: HttpFile,
  expected: Digest | undefined,
  context: Pick<DeliveryContext, 'environment' | 'progress' | 'write' | 'signal'> & { readonly spec: FileArtifact },
): Promise<Content> {
  const { spec, environment, progress, write, signal } = context;
  const annotations = { 'org.opencontainers.image.title': spec.name };
  const { mediaType } = spec;
  const size = await attribute('source', 'look at', source.name, signal, () => source.size({ signal }));
  if (expected?.startsWith('sha256:') === true && size !== undefined) {
    const open = (stop: AbortSignal | undefined): AsyncIterable<Buffer> => source.read({ signal: stop });
    return { blob: { mediaType, digest: expected, size, annotations, open }, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const limit = environment.maxBytesPerSecond === 0 ? undefined : new BandwidthLimit(environment.maxBytesPerSecond, systemClock);
  async function* counted(): AsyncGenerator<Buffer> {
    let received = 0;
    for await (const chunk of source.read({ signal })) {
      await limit?.take(chunk.length, signal);
      yield chunk;
      received += chunk.length;
      if (size !== undefined) progress.update(received, size);
    }
  }
  const staged = await attribute('source', 'read', source.name, signal, () =>
    stageFile(counted(), source.name, { directory: environment.stagingDirectory, expected }),
  );
  write(`staged    ${formatBytes(staged.size)}, ${shortDigest(staged.sha256)}`);
  const blob = { mediaType, digest: staged.sha256, size: staged.size, annotations, open: staged.read };
  return { blob, [Symbol.asyncDispose]: () => staged[Symbol.asyncDispose]() };
}

function artifactOf(name: string, spec: FileArtifact, blob: ComposedBlob): ComposedArtifact {
  return new ComposedArtifact(name, { artifactType: spec.artifactType, config: emptyConfig, layers: [blob] });
}

function openFile(
  transport: HttpTransport,
  base: URL,
  path: string,
  context: { readonly environment: WorkerEnvironment; readonly options: OpenEndpointOptions; readonly write: (line: string) => void },
): HttpFile {
  const { environment, write } = context;
  return new HttpFile(transport, resolveBelow(base, path), {
    maxBytes: environment.maxBytes === 0 ? undefined : environment.maxBytes,
    onResume: ({ offset, reason, delayMs }) => write(`waiting   ${seconds(delayMs)}, then on from byte ${offset} (source: ${reason})`),
  });
}
