import type { Results } from '../results/measurement.ts';
import { median, show } from '../statistics/summary.ts';
import { judge, type JudgedBudget } from './budgets.ts';
import { comparisonSection } from './comparison-section.ts';
import { copySection } from './copy-section.ts';
import { curvesOf } from './curves.ts';
import { gapText } from './gaps.ts';
import { growthSection } from './growth-section.ts';
import { findAll, valueOf } from './lookup.ts';
import { table } from './markdown.ts';
import { orderSection } from './order-section.ts';
import { ark } from './published.ts';
import { readSection } from './read-section.ts';
import { mixedSection, watchSection } from './watch-section.ts';
import { writeSection } from './write-section.ts';

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
    orderSection(results),
    copySection(results),
    comparison === undefined ? '' : comparisonSection(comparison),
    arkSection(results),
    methodSection(results),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

function conditions({ date, machine, size, skipped }: Results): string {
  const versions = Object.entries(machine.versions)
    .filter(([name]) => name !== 'Kubernetes')
    .map(([name, version]) => `${name} ${version}`);
  return [
    `Measured on ${date}${size === 'full' ? '' : ` (size ${size})`}: ${machine.cpu}, ${machine.cores} cores, ${show(machine.memoryBytes, 'bytes')} of memory,`,
    `Linux ${machine.kernel}, Node ${machine.node}, ${versions.join(', ')}. Server, database and load generator share these ${machine.cores} cores, so`,
    'every figure is what is left after the load has taken its part. Objects are Orders of about 1.5 KB. Repeat it with `npm run bench -- --size full --out FILE` and',
    '`npm run bench:report -- FILE` on a machine that does nothing else. Absolute figures are of this machine; ratios to the baselines of the same run carry over better.',
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
  const count = (verdict: JudgedBudget['verdict']): number => judged.filter((each) => each.verdict === verdict).length;
  const missed = judged.filter(({ verdict }) => verdict === 'missed').map((each) => `- ${each.path}: ${gapText(each)}`);
  return [
    '## Budgets',
    'What ARC promises of two cores, with TLS, authentication, authorisation by RBAC and validation on; on SQLite where nothing else is said. ' +
      `Of ${judged.length}, ${count('stretch goal')} reach the stretch goal, ${count('holds')} more hold, ${count('missed')} are missed${count('not measured') === 0 ? '' : `, ${count('not measured')} were not measured`}.`,
    table(['path', 'measured', 'budget', 'stretch goal', ''], rows),
    ...(missed.length === 0 ? [] : ['### Gaps', missed.join('\n')]),
  ].join('\n\n');
}

function arkSection(results: Results): string {
  const rows = ark.figures.map(({ what, unit, published, customResources, wanted }) => {
    const ours = valueOf(results, wanted);
    return [
      what,
      show(published, unit),
      customResources === undefined ? '-' : show(customResources, unit),
      ours === undefined ? '-' : show(ours, unit),
    ];
  });
  return [
    "## Beside Ark's aggregated API server",
    `Published for [Ark's API server on PostgreSQL](${ark.source}): ${ark.conditions}. Beside it what was measured here on PostgreSQL. The conditions differ: ` +
      'theirs goes through kube-apiserver and a network, and its server had half a core; ours shares two cores with its database and the load. ' +
      'They show orders of magnitude, not a ratio.',
    table(['', 'Ark, published', 'custom resources in its cluster, published', 'ARC, this run'], rows),
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
      'measured in turn. A value with a range is the median and the lowest and highest of all rounds; P50 and P99 are of single requests. At fixed rates a request counts from when it was due.' +
      (results.size === 'complete'
        ? ''
        : ' Lists and watches come from the watch cache whatever is beneath it, so they are measured at length on SQLite and in short on the others; only SQLite is filled with a million objects. ' +
          '`--size complete` measures everything on each.'),
  ].join('\n\n');
}
