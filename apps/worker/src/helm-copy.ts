import { systemClock } from '@arc/kernel';
import {
  type Rewritten,
  attribute,
  blobOf,
  copyArtifact,
  HttpTransport,
  listVersions,
  parseBaseURL,
  parseEndpointURL,
  parseRange,
  parseVersion,
  type ReadableRepository,
  TransferError,
} from '@arc/transfer';
import {
  rewriteChartImages,
  chartArtifact,
  chartFiles,
  chartFromRegistry,
  chartMediaTypes,
  ChartRepository,
  type ChartRequest,
  chartTag,
  filesOfServer,
  filesOfSource,
  parseChartArtifactSpec,
  type PublishedChart,
  type RepositoryFiles,
} from '@arc/transfer/helm';
import type { Check } from '@arc/trust';
import { openSide, sideOptions } from './artifact-sides.ts';
import { bringImages } from './chart-images.ts';
import { CopyLog } from './copy-log.ts';
import { type DeliveryContext, deliverToRegistry } from './delivery/deliver.ts';
import type { DeliveryReceipt } from './delivery/delivery-receipt.ts';
import { deliverToChartRepository } from './delivery/deliver-chart.ts';
import { openFileSource } from './delivery/open-source.ts';
import { pairs } from './delivery/pairs.ts';
import { requireTypes, type WorkerEnvironment } from './environment.ts';
import { ProgressFile } from './progress-file.ts';
import { referrersFor } from './trust/enforce-policy.ts';
import { type ChartVerdict, enforceOnClassicChart, enforceOnRegistryChart } from './trust/enforce-chart-policy.ts';
import { writeReceipt } from './write-receipt.ts';

type Outcome = Pick<
  DeliveryReceipt,
  'images' | 'mapping' | 'source' | 'destination' | 'files' | 'checks' | 'policy' | 'kept' | 'bytes' | 'warnings'
>;

/** Brings one version of a chart from a classic repository or a registry to a registry or directory, and writes the receipt. */
export async function helmCopy(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<void> {
  const startedAt = systemClock.now();
  requireTypes(environment, pairs.helm);
  const request = parseChartArtifactSpec(environment.specJSON);
  const progress = new ProgressFile(environment.progressFile, systemClock);
  const context: DeliveryContext = { environment, onConflict: request.onConflict ?? environment.onConflict, progress, write, signal };
  const outcome = environment.source.type === 'oci' ? await fromRegistry(request, context) : await fromRepository(request, context);
  progress.flush();
  const receipt: DeliveryReceipt = {
    schemaVersion: 1,
    kind: 'helm-copy',
    ...outcome,
    dryRun: environment.dryRun,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: new Date(systemClock.now()).toISOString(),
  };
  await writeReceipt(environment.receiptFile, receipt);
}

async function fromRepository(request: ChartRequest, context: DeliveryContext): Promise<Outcome> {
  const { write, signal } = context;
  using place = await openRepository(context);
  const repository = new ChartRepository(place.files);
  const reference = `${repository.name}/${request.chart}:${request.version}`;
  const chart = await attribute('source', 'fetch chart', reference, signal, async () => {
    const found = await repository.fetch(request.chart, request.version, { signal, provenance: request.provenance !== 'none' });
    if (request.provenance === 'required' && found.provenance === undefined)
      throw new TransferError('NotFound', `chart ${found.name} ${found.version} has no provenance file, and the order requires one`);
    return found;
  });
  write(`resolved  ${reference} is ${chart.version}, ${chart.digest}`);
  return deliverChart(chart, request, context, await enforceOnClassicChart(chart, `${repository.name}/${chart.name}`, context));
}

async function openRepository({ environment, write, signal }: DeliveryContext): Promise<{ readonly files: RepositoryFiles } & Disposable> {
  const { source } = environment;
  if (source.type !== 'helm') {
    const opened = await openFileSource(environment, write, signal);
    return { files: filesOfSource(opened), [Symbol.dispose]: () => opened[Symbol.dispose]() };
  }
  return attribute('source', 'use', 'the endpoint', signal, async () => {
    const base = parseBaseURL(source.url);
    const options = await sideOptions('source', source, environment, write);
    const transport = new HttpTransport(new URL(base.origin), { ...options, preemptive: true });
    return { files: filesOfServer(transport, base), [Symbol.dispose]: () => transport[Symbol.dispose]() };
  });
}

async function deliverChart(
  chart: PublishedChart,
  request: ChartRequest,
  context: DeliveryContext,
  { checks, ...verdict }: ChartVerdict,
): Promise<Outcome> {
  // First the images, so that a chart never names what is not there.
  const images = request.images === 'none' ? undefined : await bringImages(chart.archive, chart.location, context);
  const rewritten = request.images === 'rewritten' ? await withImagesAt(chart, context) : { chart, mapping: [] };
  const delivered =
    context.environment.destination.type === 'oci'
      ? await deliverToRegistry(chartArtifact(rewritten.chart), request.target(chart.version), context)
      : await deliverToChartRepository(rewritten.chart, context);
  return {
    source: { reference: chart.location, digest: chart.digest, version: chart.version },
    ...delivered,
    files: chartFiles(rewritten.chart).map(({ name, bytes }) => ({ name, digest: blobOf(bytes, '').digest, size: bytes.length })),
    checks: [...checksOf(chart, context.environment.source.type === 'oci' ? 'its manifest' : 'index.yaml'), ...checks],
    ...verdict,
    ...(images === undefined ? {} : { images }),
    ...(rewritten.mapping.length === 0 ? {} : { mapping: rewritten.mapping }),
  };
}

/** The chart that names its images where they were brought to. Its provenance file is about the other one, and stays behind. */
async function withImagesAt(
  chart: PublishedChart,
  { environment, write, signal }: DeliveryContext,
): Promise<{ readonly chart: PublishedChart; readonly mapping: readonly Rewritten[] }> {
  const location = parseEndpointURL(environment.destination.url);
  if (location.kind !== 'registry') return { chart, mapping: [] };
  const prefix = [location.origin.host, location.prefix].filter((part) => part !== '').join('/');
  const { archive, images } = await attribute('source', 'rewrite the images of', chart.location, signal, () =>
    rewriteChartImages(chart.archive, chart.location, prefix),
  );
  if (images.length === 0) return { chart, mapping: [] };
  for (const { file, from, to } of images) write(`rewritten ${file}: ${from} is ${to}`);
  const { digest } = blobOf(archive, '');
  write(`rewritten ${chart.digest} is ${digest}; its provenance and signatures do not cover it`);
  const why = `${images.length} names of images were rewritten to ${prefix}, so that its provenance and signatures do not cover it`;
  return { chart: { ...chart, archive, digest, provenance: undefined }, mapping: [{ from: chart.digest, to: digest, why }] };
}

function checksOf(chart: PublishedChart, who: string): Check[] {
  return [
    chart.listedDigest === undefined
      ? { name: 'digest', result: 'skipped', detail: `${who} names no digest` }
      : { name: 'digest', result: 'passed', detail: `${chart.listedDigest}, says ${who}` },
    { name: 'chart', result: 'passed', detail: `Chart.yaml says ${chart.name} ${chart.version}; no unsafe paths, links or bombs` },
    chart.provenance === undefined
      ? { name: 'provenance digest', result: 'skipped', detail: 'there is no provenance file' }
      : { name: 'provenance digest', result: 'passed', detail: 'the provenance file names the digest of the archive' },
  ];
}

/**
 * A chart in a registry is an OCI artifact already: to another registry it is copied as it is, with what refers to it; elsewhere
 * it goes as archive and provenance file.
 */
async function fromRegistry(request: ChartRequest, context: DeliveryContext): Promise<Outcome> {
  const { environment, write, signal, progress, onConflict } = context;
  using source = await openSide('source', environment, write, signal);
  const from = await attribute('source', 'open', request.chart, signal, () => source.source(request.chart));
  const found = await attribute('source', 'resolve', `${from.name}:${request.version}`, signal, () => resolveChart(from, request, signal));
  write(`resolved  ${from.name}:${request.version} is ${found.version}, ${found.digest}`);
  const verdict = await enforceOnRegistryChart(from, found.manifest, { name: request.name, version: found.version }, context);
  const unpack = (): Promise<PublishedChart> =>
    attribute('source', 'fetch chart', `${from.name}:${found.tag}`, signal, () =>
      chartFromRegistry(
        from,
        found.manifest,
        { name: request.name, tag: found.tag },
        { signal, provenance: request.provenance !== 'none' },
      ),
    );
  if (environment.destination.type !== 'oci' || request.images === 'rewritten')
    return deliverChart(await unpack(), request, context, verdict);
  const images = request.images === 'named' ? await bringImages((await unpack()).archive, `${from.name}:${found.tag}`, context) : undefined;
  using endpoint = await openSide('destination', environment, write, signal);
  const target = request.target(found.version);
  const to = await attribute('destination', 'open', target.repository, signal, () => endpoint.destination(target.repository));
  const log = new CopyLog(write, systemClock, environment);
  const result = await copyArtifact(from, found.digest, to, {
    tags: target.tags,
    referrers: referrersFor(verdict.checks, environment),
    onConflict,
    dryRun: environment.dryRun,
    concurrency: environment.concurrency,
    ...(environment.maxBytesPerSecond === 0 ? {} : { maxBytesPerSecond: environment.maxBytesPerSecond }),
    signal,
    onEvent: (event) => {
      if (event.kind === 'progress') progress.update(event.doneBytes, event.totalBytes);
      if (event.kind !== 'resolved') log.event(event);
    },
  });
  log.done(result);
  return {
    source: { reference: `${from.name}:${found.tag}`, digest: found.digest, version: found.version },
    destination: {
      references: result.tags.map((tag) => `${to.name}:${tag}`),
      digest: result.destination.digest,
      place: { kind: 'oci', repository: target.repository, tags: result.tags },
    },
    files: found.files,
    kept: result.kept.map(({ tag, digest }) => ({ reference: `${to.name}:${tag}`, digest })),
    bytes: result.bytes,
    warnings: result.warnings.slice(0, 20),
    ...verdict,
    ...(images === undefined ? {} : { images }),
    checks: [
      { name: 'digest', result: 'passed', detail: `${found.digest}, every blob by the digest its manifest gives` },
      ...verdict.checks,
    ],
  };
}

/** @throws TransferError `NotFound`, `UnsupportedMediaType` when it is no chart */
async function resolveChart(repository: ReadableRepository, request: ChartRequest, signal: AbortSignal) {
  const exact = parseVersion(request.version) === undefined ? undefined : chartTag(request.version);
  const [newest] = exact === undefined ? await listVersions(repository, { range: parseRange(request.version), limit: 1, signal }) : [];
  const tag = exact ?? newest?.tag;
  const manifest = tag === undefined ? undefined : await repository.fetchManifest(tag, { signal });
  if (tag === undefined || manifest === undefined)
    throw new TransferError('NotFound', `there is no version ${JSON.stringify(request.version)} of chart ${request.chart}`, {
      status: 404,
      hint: 'Look at what there is with arcctl artifact list.',
    });
  if (manifest.config?.mediaType !== chartMediaTypes.config)
    throw new TransferError(
      'UnsupportedMediaType',
      `${repository.name}:${tag} is no Helm chart: its config is ${manifest.config?.mediaType ?? 'missing'}`,
      {
        hint: 'Use an artifact of type oci for images and other artifacts.',
      },
    );
  const { digest } = manifest.descriptor;
  if (request.provenance === 'required' && !manifest.blobs.some(({ mediaType }) => mediaType === chartMediaTypes.provenance))
    throw new TransferError('NotFound', `chart ${repository.name}:${tag} has no provenance file, and the order requires one`);
  const archive = manifest.blobs.find(({ mediaType }) => mediaType === chartMediaTypes.content);
  const version = tag.replace('_', '+');
  const files = archive === undefined ? [] : [{ name: `${request.name}-${version}.tgz`, digest: archive.digest, size: archive.size }];
  return { tag, version, digest, files, manifest };
}
