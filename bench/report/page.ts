import type { Measurement, Results, Unit } from '../results/measurement.ts';
import { median, medianRatio, show } from '../statistics/summary.ts';
import { backendNames } from '../server/backends.ts';
import { judge, type JudgedBudget } from './budgets.ts';
import { comparisonSection } from './comparison-section.ts';
import { backendTitle, curvesOf, type Curve } from './curves.ts';
import { findAll, valueOf, valuesOfParameter } from './lookup.ts';
import { table } from './markdown.ts';
import { ark } from './published.ts';
import { gapText } from './gaps.ts';

export interface ReportInput {
  readonly results: Results;
  /** What `bench:compare` measured, when it was run. */
  readonly comparison?: Results;
}

/** The text of docs/reference/performance.md; its plots are in the directory `performance` beside it. */
export function reportPage({ results, comparison }: ReportInput): string {
  const curves = curvesOf(results);
  return `${[
    '# Performance',
    '<!-- Made by `npm run bench:report`; edit bench/report instead. -->',
    conditions(results),
    budgetSection(results),
    writeSection(results, curves),
    readSection(results, curves),
    watchSection(results, curves),
    mixedSection(results),
    growthSection(results, curves),
    comparison === undefined ? '' : comparisonSection(comparison),
    arkSection(results),
    methodSection(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function conditions({ date, machine, size, skipped }: Results): string {
  const versions = Object.entries(machine.versions).map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${date}${size === 'full' ? '' : ` (size ${size})`}: ${machine.cpu}, ${machine.cores} cores, ${show(machine.memoryBytes, 'bytes')} of memory,`,
    `Linux ${machine.kernel}, Node ${machine.node}, ${versions.join(', ')}. Server, database and load generator share these ${machine.cores} cores, so`,
    'every figure is what is left after the load has taken its part. Objects are Orders of about 1.5 KB. Repeat it with `npm run bench -- --size full --out FILE` and',
    '`npm run bench:report -- FILE`. Absolute figures are of this machine; ratios to the baselines of the same run carry over better.',
    ...skipped.map((what) => `\nNot measured: ${what}.`),
  ].join('\n');
}

function budgetSection(results: Results): string {
  const judged = judge(results);
  const limit = ({ better, budget, stretch, unit }: JudgedBudget): readonly string[] =>
    [budget, stretch].map((value) => `${better === 'lower' ? '<=' : '>='} ${show(value, unit)}`);
  const rows = judged.map((each) => [
    each.path,
    each.value === undefined ? '-' : show(each.value, each.unit),
    ...limit(each),
    each.verdict === 'missed' ? '**missed**' : each.verdict,
  ]);
  const missed = judged.filter(({ verdict }) => verdict === 'missed').map((each) => `- ${each.path}: ${gapText(each)}`);
  return [
    '## Budgets',
    'What ARC promises of two cores, with TLS, authentication, authorisation by RBAC and validation on; on SQLite where nothing else is said.',
    table(['path', 'measured', 'budget', 'stretch goal', ''], rows),
    ...(missed.length === 0 ? [] : ['### Gaps', missed.join('\n')]),
  ].join('\n\n');
}

function writeSection(results: Results, curves: readonly Curve[]): string {
  const measured = findAll(results, { bench: 'writes', metric: 'create throughput' });
  if (measured.length === 0) return '';
  const writers = valuesOfParameter(measured, 'writers');
  const cells = (backend: Measurement['backend'], metric: string): string[] =>
    writers.map((count) => cell(results, { bench: 'writes', backend, metric, at: { writers: count } }));
  const head = ['', ...writers.map((count) => `${count} writer${count === 1 ? '' : 's'}`)];
  const backends = backendNames.filter((name) => measured.some(({ backend }) => backend === name));
  const rows = backends.flatMap((backend) => [
    ...['create', 'update', 'delete'].map((operation) => [
      `${backendTitle(backend)}, ${operation}`,
      ...cells(backend, `${operation} throughput`),
    ]),
    [`${backendTitle(backend)}, create P50`, ...cells(backend, 'create p50')],
    [`${backendTitle(backend)}, create P99`, ...cells(backend, 'create p99')],
    [`${backendTitle(backend)}, CPU of a create`, ...cells(backend, 'create CPU of server and database')],
  ]);
  const raw = measured.flatMap(({ backend, at, values, baseline }) =>
    baseline === undefined
      ? []
      : [
          [
            `${backendTitle(backend)}: ${baseline.name}`,
            String(at['writers']),
            show(median(baseline.values), '1/s'),
            show(medianRatio(values, baseline.values), 'x'),
          ],
        ],
  );
  const burst = backends.map((backend) => {
    const at = (share: string): string => cell(results, { bench: 'writes', backend, metric: `create ${share} at a fixed rate` });
    return `${backendTitle(backend)} ${at('p50')} / ${at('p99')}`;
  });
  const applied = findAll(results, { bench: 'applies', metric: 'applies that change a field' });
  return [
    '## Writes',
    'A create is authenticated, authorised, decoded, defaulted, validated, committed durably (but for memory) and answered. Each writer has one connection and one request under way.',
    image(curves, 'creates-by-writers.svg'),
    image(curves, 'create-latency-by-writers.svg'),
    table(head, rows),
    `At a fixed rate of 230 creates/s, P50 / P99: ${burst.join('; ')}.`,
    'Beneath them, the same bytes written into the same kind of database with nothing of ours in between; the last column is creates through the API over raw writes.',
    table(['raw writes', 'writers', 'raw', 'API / raw'], raw),
    ...applied.map(
      ({ values, baseline }) =>
        `Server-side apply by 50 writers on SQLite: ${show(median(values), '1/s')} that change a field, against ` +
        `${show(median(baseline?.values ?? []), '1/s')} merge patches of the same objects; ` +
        `${cell(results, { bench: 'applies', metric: 'applies that change nothing' })} that change nothing and so write nothing.`,
    ),
  ].join('\n\n');
}

function readSection(results: Results, curves: readonly Curve[]): string {
  const gets = findAll(results, { bench: 'gets', metric: 'GET p50' });
  const lists = findAll(results, { bench: 'lists', metric: 'LIST p50' });
  const getRows = gets.map(({ backend, values, baseline }) => {
    const [throughput] = findAll(results, { bench: 'gets', backend, metric: 'GET throughput' });
    return [
      backendTitle(backend),
      show(median(values), 'ms'),
      cell(results, { bench: 'gets', backend, metric: 'GET p99' }),
      show(median(baseline?.values ?? []), 'ms'),
      show(median(throughput?.values ?? []), '1/s'),
      show(median(throughput?.baseline?.values ?? []), '1/s'),
    ];
  });
  const counts = valuesOfParameter(lists, 'objects');
  const forms = [...new Set(lists.map(({ at }) => String(at['as'])))];
  const largest = 10_000;
  const rows = forms.map((as) => {
    const wanted = { bench: 'lists', backend: 'sqlite', at: { as, objects: largest } } as const;
    const [found] = findAll(results, { ...wanted, metric: 'LIST p50' });
    return [
      as,
      ...counts.map((objects) => cell(results, { ...wanted, metric: 'LIST p50', at: { as, objects } })),
      cell(results, { ...wanted, metric: 'LIST size' }),
      found?.baseline === undefined ? '-' : show(medianRatio(found.values, found.baseline.values), 'x'),
      cell(results, { ...wanted, metric: 'LIST CPU of server and database' }),
      cell(results, { ...wanted, metric: 'LIST sustained' }),
    ];
  });
  const others = backendNames.map((backend) => {
    const value = cell(results, { bench: 'lists', backend, metric: 'LIST p50', at: { as: 'objects', objects: largest } });
    return `${backendTitle(backend)} ${value}`;
  });
  const baseline = (metric: string): string => cell(results, { bench: 'list-baselines', metric, at: { objects: largest } });
  return [
    '## Reads',
    'GET of one of 10,000 objects: one reader, then 50 readers at once; beside them a TLS server that does nothing but answer with as many bytes. Reads are consistent: ' +
      'PostgreSQL and etcd are asked for their newest revision each time, which the other two know in memory.',
    table(['', 'P50', 'P99', 'raw TLS, P50', '50 readers', 'raw TLS'], getRows),
    `LIST with one reader on SQLite, P50; size, ratio to raw TLS of the same bytes, CPU time and lists per second with 4 readers are those of ${largest.toLocaleString('en-US')} objects. ` +
      'Selectors match one object in a hundred.',
    image(curves, 'list-by-objects.svg'),
    table(['', ...counts.map((count) => `${count.toLocaleString('en-US')} objects`), 'size', 'of raw TLS', 'CPU', 'sustained'], rows),
    `LIST of ${largest.toLocaleString('en-US')} objects elsewhere: ${others.join('; ')}. For comparison, a server that serialised the same list for each answer would spend ` +
      `${baseline('JSON.stringify of the list')} in JSON.stringify alone, and ${baseline('streaming gzip of the list, level 1')} compressing it.`,
  ].join('\n\n');
}

function watchSection(results: Results, curves: readonly Curve[]): string {
  const all = findAll(results, { bench: 'watches', metric: 'delivery p50' });
  if (all.length === 0) return '';
  const rows = all.map(({ backend, at }) => {
    const of = (metric: string): string => cell(results, { bench: 'watches', backend, metric, at });
    return [
      `${backendTitle(backend)}, ${at['watchers']}, ${at['perSecond']}/s`,
      of('delivery p50'),
      of('delivery p99'),
      of('write p50 while watched'),
      of('writes done'),
      of('CPU of server and database for a delivery'),
    ];
  });
  return [
    '## Watches',
    'Updates of single objects, each delivered to every watcher. The time runs from when a writer hands its request over to when a watcher has the event, ' +
      'so the commit is part of it. Every event has to reach every watcher, or the bench fails. 1,000 watchers at 1,000 writes/s would be a million deliveries a second, ' +
      'which two cores that also receive them cannot do: what the writers reached instead is in the column "writes done".',
    image(curves, 'watch-delivery.svg'),
    table(['backend, watchers, writes', 'P50', 'P99', 'write P50', 'writes done', 'CPU of a delivery'], rows),
  ].join('\n\n');
}

function mixedSection(results: Results): string {
  const all = findAll(results, { bench: 'mixed', metric: 'LIST p50' });
  const rows = all.map(({ backend }) => [
    backendTitle(backend),
    ...['LIST', 'write', 'delivery'].flatMap((what) =>
      ['p50', 'p99'].map((share) => cell(results, { bench: 'mixed', backend, metric: `${what} ${share}` })),
    ),
    cell(results, { bench: 'mixed', backend, metric: 'CPU of server and database for a second' }),
  ]);
  return all.length === 0
    ? ''
    : [
        '## All at once',
        '180 updates/s, 12.5 LIST/s of all 10,000 objects and 200 watchers, together.',
        table(['', 'LIST P50', 'P99', 'write P50', 'P99', 'delivery P50', 'P99', 'CPU each second'], rows),
      ].join('\n\n');
}

function growthSection(results: Results, curves: readonly Curve[]): string {
  const all = findAll(results, { bench: 'growth', metric: 'GET p50' });
  if (all.length === 0) return '';
  const metrics = [
    'GET p50',
    'creates',
    'watch delivery p50',
    'LIST p50',
    'cold start',
    'RSS for each object',
    'RSS for each object by its bytes',
  ];
  const rows = all.map(({ backend, at }) => [
    `${backendTitle(backend)}, ${Number(at['objects']).toLocaleString('en-US')}`,
    ...metrics.map((metric) => cell(results, { bench: 'growth', backend, metric, at })),
  ]);
  return [
    '## How cost grows',
    'The same work with ever more objects in the storage. GET, create and watch should not notice; LIST, cold start and memory in proportion. With `memory:` the ' +
      'store itself is part of the memory, and cold start is only the loading of the cache.',
    ...['growth-get.svg', 'growth-create.svg', 'growth-watch.svg', 'growth-list.svg', 'growth-start.svg', 'growth-memory.svg'].map((file) =>
      image(curves, file),
    ),
    table(
      ['backend, objects', 'GET P50', 'creates', 'delivery P50', 'LIST P50', 'cold start', 'memory of an object', 'by its bytes'],
      rows,
    ),
  ].join('\n\n');
}

function arkSection(results: Results): string {
  const rows = ark.figures.map(({ what, unit, published, wanted }) => {
    const ours = valueOf(results, wanted);
    return [what, show(published, unit), ours === undefined ? '-' : show(ours, unit)];
  });
  return [
    "## Beside Ark's aggregated API server",
    `Published for [Ark's API server on PostgreSQL](${ark.source}): ${ark.conditions}. Beside it what was measured here on PostgreSQL. The conditions differ: ` +
      'theirs goes through kube-apiserver and a network, and its server had half a core; ours shares two cores with its database and the load. ' +
      'They show orders of magnitude, not a ratio.',
    table(['', 'Ark, published', 'ARC, this run'], rows),
  ].join('\n\n');
}

function methodSection(results: Results): string {
  const [many] = findAll(results, { bench: 'gets', metric: 'GET throughput' });
  const limit =
    many?.baseline === undefined
      ? ''
      : ` It reaches ${show(median(many.baseline.values), '1/s')} against the raw TLS server with 50 connections.`;
  return [
    '## How it is measured',
    'The server runs in a process of its own, as in `arcctl up` but without controllers; each kind of load in another one, over HTTP/1.1 and TLS with client certificates of a user whose ' +
      `rights come from RBAC. The load writes prepared bytes into sockets, counts what comes back and parses nothing but the ends of answers.${limit} ` +
      'Databases are on the same machine and as durable as in production (SQLite `synchronous=FULL`, PostgreSQL with fsync, etcd with fsync). Where a baseline is named, rounds of both are ' +
      'measured in turn. A value with a range is the median and the lowest and highest of all rounds; P50 and P99 are of single requests. At fixed rates a request counts from when it was due.',
  ].join('\n\n');
}

/** Median, and the range where there were several rounds; a dash for what was not measured. */
function cell(results: Results, wanted: Parameters<typeof findAll>[1]): string {
  const [found] = findAll(results, wanted);
  if (found === undefined) return '-';
  const { values, unit } = found;
  return values.length > 1 ? `${show(median(values), unit)} (${range(values, unit)})` : show(median(values), unit);
}

function range(values: readonly number[], unit: Unit): string {
  return `${show(Math.min(...values), unit)} .. ${show(Math.max(...values), unit)}`;
}

function image(curves: readonly Curve[], file: string): string {
  const curve = curves.find((each) => each.file === file);
  return curve === undefined ? '' : `![${curve.plot.title}](performance/${file})`;
}
