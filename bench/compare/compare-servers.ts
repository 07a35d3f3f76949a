import { setTimeout as sleep } from 'node:timers/promises';
import type { WithCpu } from '../benches/cpu-of.ts';
import { watchPath } from '../benches/watch-path.ts';
import { rateOf, type LoadResult } from '../load/load-result.ts';
import { startLoad, type LoadProcess } from '../load/start-load.ts';
import type { Unit } from '../results/measurement.ts';
import type { Recorder } from '../results/recorder.ts';
import { percentile } from '../statistics/summary.ts';
import type { Subject } from './subject.ts';

export interface ComparePlan {
  /** Objects that are there while reads, watches and updates are measured. */
  readonly objects: number;
  readonly writers: readonly number[];
  readonly rounds: number;
  readonly durationMs: number;
  readonly watchers: number;
  readonly watchedPerSecond: number;
}

/** The loads that are used at once. */
interface Loads {
  readonly writing: LoadProcess;
  readonly reading: LoadProcess;
  readonly watching: LoadProcess;
}

interface Sample {
  readonly metric: string;
  readonly unit: Unit;
  readonly value: number;
}

const gzip = { gzip: true } as const;
const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' } as const;

/** Puts the same load on several servers, round by round in turn, and removes what it made, also when it fails. */
export async function compareServers(subjects: readonly Subject[], plan: ComparePlan, recorder: Recorder): Promise<void> {
  await using writing = startLoad();
  await using reading = startLoad();
  await using watching = startLoad();
  const loads: Loads = { writing, reading, watching };
  /** How many objects of each may be there. */
  const made = new Map<Subject, number>();
  try {
    for (const subject of subjects) {
      await fill(subject, { first: 0, count: 1 }, writing);
      // From here on objects of these names are this run's.
      made.set(subject, plan.objects);
      await fill(subject, { first: 1, count: plan.objects - 1 }, writing);
    }
    for (const step of steps(loads, plan, made)) {
      const samples = new Map(subjects.map((subject) => [subject, [] as (readonly Sample[])[]]));
      for (let round = 0; round < plan.rounds; round += 1) {
        for (const subject of subjects) samples.get(subject)?.push(await step(subject));
      }
      for (const [subject, rounds] of samples) recordRounds(subject, rounds, recorder);
    }
    for (const subject of subjects) {
      const used = await subject.usage?.();
      if (used !== undefined)
        recordRounds(subject, [[{ metric: 'memory of the server after all of it', unit: 'bytes', value: used.rssBytes }]], recorder);
    }
  } finally {
    for (const [{ target, collection, temporary }, count] of made)
      if (temporary !== true) await writing.call('cleanUp', { target, collection, count });
  }
}

type Step = (subject: Subject) => Promise<readonly Sample[]>;

function steps(loads: Loads, plan: ComparePlan, made: Map<Subject, number>): readonly Step[] {
  const { writing, reading } = loads;
  const { objects, durationMs } = plan;
  const gets: Step = async (subject) => {
    const read = { target: subject.target, path: subject.collection, objects, durationMs };
    const one = await reading.call('reads', { ...read, readers: 1 });
    const many = await withCpu(subject, () => reading.call('reads', { ...read, readers: 50 }));
    return [...latency('GET', one), rate('GET by 50 readers', many.result), ...cpu('CPU of a GET', many)];
  };
  const lists: Step = async (subject) => {
    const read = { target: subject.target, path: subject.collection, readers: 1, durationMs };
    const plain = await withCpu(subject, () => reading.call('reads', read));
    const cached = await reading.call('reads', { ...read, path: `${subject.collection}?resourceVersion=0` });
    const asTable = await reading.call('reads', { ...read, ...table });
    const compressed = await reading.call('reads', { ...read, ...gzip });
    const sustained = await reading.call('reads', { ...read, ...gzip, readers: 4 });
    const what = `LIST of ${objects.toLocaleString('en-US')}`;
    return [
      ...latency(what, plain.result),
      ...cpu(`CPU of a ${what}`, plain),
      ...latency(`${what} at resourceVersion=0`, cached),
      ...latency(`${what} as Table`, asTable),
      ...latency(`${what} with gzip`, compressed),
      rate(`${what} with gzip, 4 readers`, sustained),
    ];
  };
  const writes = plan.writers.map((writers): Step => async (subject) => {
    const common = { target: subject.target, collection: subject.collection, template: subject.template, writers, durationMs };
    const first = made.get(subject) ?? 0;
    const created = await withCpu(subject, () => writing.call('writes', { ...common, operation: 'create', first }));
    made.set(subject, first + created.result.latenciesMs.length);
    const updated = await writing.call('writes', { ...common, operation: 'update', first: 0, objects });
    const by = `by ${writers} writer${writers === 1 ? '' : 's'}`;
    return [
      rate(`create ${by}`, created.result),
      ...latency(`create ${by}`, created.result),
      ...cpu(`CPU of a create ${by}`, created),
      rate(`update ${by}`, updated),
      ...latency(`update ${by}`, updated),
    ];
  });
  return [gets, lists, (subject) => watched(subject, loads, plan), ...writes];
}

/** The CPU time is NaN for servers whose processes are not known. */
async function withCpu(subject: Subject, load: () => Promise<LoadResult>): Promise<WithCpu<LoadResult>> {
  const before = await subject.usage?.();
  const result = await load();
  const after = await subject.usage?.();
  return { result, cpuMs: (after?.cpuMs ?? Number.NaN) - (before?.cpuMs ?? Number.NaN) };
}

function cpu(metric: string, { result, cpuMs }: WithCpu<LoadResult>): readonly Sample[] {
  return Number.isNaN(cpuMs) ? [] : [{ metric, unit: 'ms', value: cpuMs / result.latenciesMs.length }];
}

async function watched(
  { target, collection, template }: Subject,
  { writing, watching }: Loads,
  plan: ComparePlan,
): Promise<readonly Sample[]> {
  const { watchers, watchedPerSecond: perSecond, durationMs, objects } = plan;
  await watching.call('openWatches', { target, path: await watchPath(target, collection), watchers });
  const write = { target, collection, template, operation: 'update', first: 0, objects, writers: 50, perSecond } as const;
  await writing.call('writes', { ...write, durationMs: durationMs / 4 });
  await sleep(500);
  await watching.call('takeDeliveries', undefined);
  await writing.call('writes', { ...write, durationMs });
  await sleep(1000);
  const { latenciesMs } = await watching.call('takeDeliveries', undefined);
  await watching.call('closeWatches', undefined);
  return latency(`delivery to ${watchers} watchers at ${perSecond} writes/s`, { latenciesMs });
}

function latency(metric: string, { latenciesMs }: Pick<LoadResult, 'latenciesMs'>): readonly Sample[] {
  return [0.5, 0.99].map((share) => ({ metric: `${metric}, P${share * 100}`, unit: 'ms', value: percentile(latenciesMs, share) }));
}

function rate(metric: string, result: LoadResult): Sample {
  return { metric, unit: '1/s', value: rateOf(result) };
}

function recordRounds({ name }: Subject, rounds: readonly (readonly Sample[])[], recorder: Recorder): void {
  for (const [index, { metric, unit }] of (rounds[0] ?? []).entries()) {
    const values = rounds.map((samples) => samples[index]?.value ?? Number.NaN);
    recorder.record({ bench: 'compare', backend: 'none', metric, at: { server: name }, unit, values });
  }
}

/** @throws Error when there are objects of these names: another run's, or somebody's own */
async function fill(
  { name, target, collection, template }: Subject,
  { first, count }: { readonly first: number; readonly count: number },
  load: LoadProcess,
): Promise<void> {
  try {
    await load.call('writes', { target, collection, template, operation: 'create', writers: Math.min(50, count), first, count });
  } catch (error) {
    throw new Error(`could not fill ${collection} of ${name}; it has to exist, be empty and be writable`, { cause: error });
  }
}
