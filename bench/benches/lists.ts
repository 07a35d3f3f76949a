import { parsedListMs, gzipMs } from '../baselines/list-bytes.ts';
import { startRawServer } from '../baselines/raw-server.ts';
import { rateOf } from '../load/load-result.ts';
import { groupLabel, tierLabel } from '../load/object-template.ts';
import type { ReadLoad } from '../load/reads.ts';
import { startLoad } from '../load/start-load.ts';
import { collection } from '../server/order-sample.ts';
import { startServer } from '../server/server-under-test.ts';
import { percentile } from '../statistics/summary.ts';
import type { Bench } from './bench.ts';
import { cpuOf } from './cpu-of.ts';

const table = 'application/json;as=Table;v=v1;g=meta.k8s.io';
const metadata = 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io';
const pageSize = 500;

interface Variant extends Pick<ReadLoad, 'accept' | 'gzip' | 'paged'> {
  readonly name: string;
  readonly query?: string;
}

/** What is asked for of a list. Selectors match one object in a hundred. */
const variants: readonly Variant[] = [
  { name: 'objects' },
  { name: 'objects, gzip', gzip: true },
  { name: 'Table', accept: table },
  { name: 'Table, gzip', accept: table, gzip: true },
  { name: 'metadata', accept: metadata },
  { name: 'metadata, gzip', accept: metadata, gzip: true },
  { name: `objects in pages of ${pageSize}`, query: `?limit=${pageSize}`, paged: true },
  { name: 'field selector, indexed', query: '?fieldSelector=status.phase%3DFailed' },
  { name: 'label selector, indexed', query: `?labelSelector=${encodeURIComponent(`${groupLabel}=g-7`)}` },
  { name: 'label selector, not indexed', query: `?labelSelector=${encodeURIComponent(`${tierLabel}!=common`)}` },
];

const asObjects = variants.filter(({ accept, query }) => accept === undefined && query === undefined);

/** Readers that together keep the server busy. */
const sustainingReaders = 4;

/** LIST of everything: one reader at a time, then as many lists as the server can sustain. */
export const lists: Bench = {
  name: 'lists',
  about: 'LIST as objects, Table and metadata, plain and gzip, paged, with selectors, against raw TLS and JSON.stringify',
  backends: 'each',
  async run({ backend, plan, recorder }) {
    await using raw = await startRawServer({ tls: true });
    await using load = startLoad();
    for (const objects of plan.listed) {
      await using server = await startServer(backend, objects);
      for (const variant of plan.listForms === 'every' ? variants : asObjects) {
        const read = { target: server.target, path: `${collection}${variant.query ?? ''}`, ...variant };
        const alone: ReadLoad = { ...read, readers: 1, count: plan.lists.count, durationMs: plan.lists.maxMs };
        const once = await load.call('reads', { ...alone, count: 3 });
        const bytes = once.bytes / once.latenciesMs.length;
        const echo: ReadLoad = { target: raw.target, path: `/${bytes}`, readers: 1, count: 10, durationMs: plan.lists.maxMs / 2 };
        const { result, cpuMs } = await cpuOf(server, () => load.call('reads', alone));
        const baseline = await load.call('reads', echo);
        const at = { objects, as: variant.name };
        const common = { bench: 'lists', backend, at } as const;
        const rawValues = [percentile(baseline.latenciesMs, 0.5)];
        const p50 = [percentile(result.latenciesMs, 0.5)];
        recorder.record({ ...common, metric: 'LIST p50', unit: 'ms', values: p50, baseline: { name: 'raw TLS', values: rawValues } });
        recorder.record({ ...common, metric: 'LIST p99', unit: 'ms', values: [percentile(result.latenciesMs, 0.99)] });
        recorder.record({ ...common, metric: 'LIST size', unit: 'bytes', values: [bytes] });
        recorder.record({ ...common, metric: 'LIST CPU of server and database', unit: 'ms', values: [cpuMs / result.latenciesMs.length] });
        if (asObjects.includes(variant)) {
          const sustained = await load.call('reads', { ...alone, readers: sustainingReaders, count: Infinity });
          recorder.record({ ...common, metric: 'LIST sustained', unit: '1/s', values: [rateOf(sustained)] });
        }
      }
    }
  },
};

/** What a server would pay that parsed and serialised objects, or compressed each answer. */
export const listBaselines: Bench = {
  name: 'list-baselines',
  about: 'JSON.stringify and streaming gzip of the same lists',
  backends: 'none',
  async run({ plan, recorder }) {
    for (const objects of plan.listed) {
      const common = { bench: 'list-baselines', backend: 'none', at: { objects }, unit: 'ms' } as const;
      recorder.record({ ...common, metric: 'JSON.stringify of the list', values: await parsedListMs(objects, plan.rounds) });
      recorder.record({ ...common, metric: 'streaming gzip of the list, level 1', values: await gzipMs(objects, plan.rounds) });
    }
  },
};
