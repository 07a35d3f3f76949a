import { systemClock } from '@arc/kernel';
import { attribute, blobOf } from '@arc/transfer';
import { chartFiles, publishChart, type PublishedChart, requirePublishable } from '@arc/transfer/helm';
import { type Delivered, type DeliveryContext, deliverToStore } from './deliver.ts';
import { openStore } from './open-store.ts';

/** Puts a chart into the classic layout of a destination with paths: archive and provenance first, its index last. @throws CopyError */
export async function deliverToChartRepository(chart: PublishedChart, context: DeliveryContext): Promise<Delivered> {
  const { environment, onConflict, write, signal } = context;
  using opened = await openStore(environment, write, signal);
  const { store } = opened;
  const index = `${store.name}/index.yaml`;
  const files = chartFiles(chart).map(({ name, bytes }) => ({ path: name, blob: blobOf(bytes, 'application/octet-stream') }));
  const decision = await attribute('destination', 'look at', index, signal, () => requirePublishable(store, chart, onConflict, { signal }));
  if (decision === 'skip') {
    write(`kept      ${index} lists another chart ${chart.name} ${chart.version}`);
    const total = files.reduce((sum, { blob }) => sum + blob.size, 0);
    return {
      destination: { references: [], digest: chart.digest, place: { kind: 'file', paths: [] } },
      kept: [{ reference: index, digest: '' }],
      bytes: { copied: 0, total },
      warnings: [],
    };
  }
  const delivered = await deliverToStore(chart.location, files, store, context);
  if (environment.dryRun || delivered.kept.length > 0) return delivered;
  const isNew = await attribute('destination', 'write', index, signal, () => publishChart(store, chart, { clock: systemClock, signal }));
  write(isNew ? `listed    ${chart.name} ${chart.version} in ${index}` : `skipped   ${index} lists it already`);
  return { ...delivered, warnings: [...delivered.warnings, ...(store.warnings ?? [])].filter((text, at, all) => all.indexOf(text) === at) };
}
