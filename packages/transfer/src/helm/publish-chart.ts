import type { Clock } from '@arc/kernel';
import type { ConflictPolicy } from '../copy/tag-conflict.ts';
import type { FileStore } from '../files/file-store.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import type { PublishedChart } from './chart-repository.ts';
import { IndexDocument, type ListedChart, writtenIndexLimit } from './index-document.ts';

/** Tries to write the index while others write it, too. */
const attempts = 50;
const pauseMs = 200;

/** The files of a chart in the classic layout: its archive and, where there is one, its provenance file. */
export function chartFiles(chart: PublishedChart): { readonly name: string; readonly bytes: Buffer }[] {
  const name = fileOf(chart);
  return [{ name, bytes: chart.archive }, ...(chart.provenance === undefined ? [] : [{ name: `${name}.prov`, bytes: chart.provenance }])];
}

/**
 * Looks whether the index of the destination lists the chart.
 *
 * @returns `skip` when it lists another chart of that version, which is to stay
 * @throws TransferError `TagConflict` when that is to fail
 */
export async function requirePublishable(
  store: FileStore,
  chart: PublishedChart,
  onConflict: ConflictPolicy,
  options: RequestOptions = {},
): Promise<'publish' | 'skip'> {
  const index = await readIndex(store, options);
  if (onConflict === 'overwrite' || index.document.presence(chart, fileOf(chart)) !== 'different') return 'publish';
  if (onConflict === 'skip') return 'skip';
  throw new TransferError('TagConflict', `${store.name}/index.yaml lists another chart ${chart.name} ${chart.version}`, {
    hint: 'Set onConflict to overwrite (replaces it) or skip (leaves it alone).',
  });
}

/**
 * Adds a chart, whose files are there, to the index.yaml of a classic repository. The index is written only as it was read:
 * whoever was faster is read again, so that nobody's entry is lost where the destination obeys conditions.
 *
 * @returns false when it was listed already
 */
export async function publishChart(
  store: FileStore,
  chart: PublishedChart,
  { clock, signal, random = Math.random }: RequestOptions & { readonly clock: Clock; readonly random?: () => number },
): Promise<boolean> {
  const file = fileOf(chart);
  for (let tries = 1; ; tries += 1) {
    const { document, version } = await readIndex(store, { signal });
    if (document.presence(chart, file) === 'same') return tries > 1;
    document.list(chart, file, clock.now());
    if (await store.replace('index.yaml', document.toBuffer(), version, { signal })) return true;
    if (tries >= attempts)
      throw new TransferError('TagConflict', `${store.name}/index.yaml is written by others all the time`, {
        retryable: true,
        tries,
        hint: 'Run the order again when fewer deliveries go there.',
      });
    await clock.sleep(random() * pauseMs, signal);
  }
}

/** Whether the index of a classic repository lists exactly this chart. */
export async function isListed(store: FileStore, chart: ListedChart, options: RequestOptions = {}): Promise<boolean> {
  return (await readIndex(store, options)).document.presence(chart, fileOf(chart)) === 'same';
}

function fileOf(chart: ListedChart): string {
  return `${chart.name}-${chart.version}.tgz`;
}

async function readIndex(
  store: FileStore,
  options: RequestOptions,
): Promise<{ readonly document: IndexDocument; readonly version: string | undefined }> {
  const found = await store.readVersioned('index.yaml', writtenIndexLimit, options);
  return { document: new IndexDocument(found?.bytes, `${store.name}/index.yaml`), version: found?.version };
}
