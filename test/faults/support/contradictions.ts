import type { HistoryEvent, LoadRecord, ReadRecord, WriteRecord } from './load-record.ts';

/**
 * Where a record breaks what the API promises whatever fails: an acknowledged write is in history exactly once, an
 * unacknowledged one at most once and a refused one never; a compare-and-swap follows the revision it named; a consistent
 * read is not older than any write acknowledged before it; a watch tells history without a gap or a repetition.
 */
export function contradictions(record: LoadRecord): readonly string[] {
  const { history } = record;
  return [
    ...disorder(history),
    ...record.writes.flatMap((write) => contradictionOfWrite(write, history)),
    ...strangers(record),
    ...contradictionsOfReads(record),
    ...record.follows.flatMap(({ from, events }, index) => contradictionsOfFollow(`watch ${index} from ${from}`, from, events, history)),
  ];
}

function disorder(history: readonly HistoryEvent[]): readonly string[] {
  return history.flatMap(({ revision, name }, index) => {
    const before = history[index - 1]?.revision ?? 0;
    return revision > before ? [] : [`history tells revision ${revision} of ${name} after ${before}`];
  });
}

function contradictionOfWrite(write: WriteRecord, history: readonly HistoryEvent[]): readonly string[] {
  const { result, verb, name } = write;
  const what = `${verb} ${write.id} of ${name}`;
  const effects = effectsOf(write, history);
  if (effects.length > 1) return [`${what} was applied ${effects.length} times: ${effects.map(({ revision }) => revision).join(', ')}`];
  const [effect] = effects;
  if (result.kind === 'refused' && effect !== undefined)
    return [`${what} was refused with ${result.code}, and is revision ${effect.revision}`];
  if (result.kind === 'acknowledged' && effect === undefined) return [`${what} was acknowledged, and is not in history`];
  if (effect === undefined) return [];
  if (result.kind === 'acknowledged' && result.revision !== undefined && result.revision !== effect.revision) {
    return [`${what} was acknowledged with revision ${result.revision}, and is ${effect.revision}`];
  }
  if (write.expected === undefined) return [];
  const before = history.findLast((event) => event.name === name && event.revision < effect.revision)?.revision;
  return before === write.expected ? [] : [`${what} expected revision ${write.expected}, and replaced ${before}`];
}

/** A deletion is known by the uid it was answered with, everything else by what it wrote. */
function effectsOf({ id, verb, name, result }: WriteRecord, history: readonly HistoryEvent[]): readonly HistoryEvent[] {
  if (verb !== 'delete') return history.filter((event) => event.type !== 'DELETED' && event.writer === id);
  const uid = result.kind === 'acknowledged' ? result.uid : undefined;
  return uid === undefined ? [] : history.filter((event) => event.type === 'DELETED' && event.name === name && event.uid === uid);
}

/** Changes that nobody asked for. */
function strangers({ history, writes }: LoadRecord): readonly string[] {
  const known = new Set(writes.map(({ id }) => id));
  const contents = history
    .filter(({ writer }) => !known.has(writer))
    .map(({ revision, name }) => `revision ${revision} of ${name} is nobody's`);
  const names = new Set(history.map(({ name }) => name));
  const deletions = [...names].flatMap((name) => {
    const told = history.filter((event) => event.type === 'DELETED' && event.name === name).length;
    const tried = writes.filter((write) => write.verb === 'delete' && write.name === name && write.result.kind !== 'refused').length;
    return told <= tried ? [] : [`${name} was deleted ${told} times by ${tried} requests`];
  });
  return [...contents, ...deletions];
}

/** One state of one object: from `revision` until `until`. */
interface Phase {
  readonly revision: number | undefined;
  readonly until: number;
}

function contradictionsOfReads(record: LoadRecord): readonly string[] {
  const { from, history, acknowledged, reads } = record;
  const newestAcknowledged: number[] = [from];
  for (const write of acknowledged) {
    const revision = effectsOf(write, history)[0]?.revision ?? 0;
    newestAcknowledged.push(Math.max(newestAcknowledged.at(-1) ?? 0, revision));
  }
  const phases = phasesOf(history);
  const lists = reads.filter(({ name }) => name === undefined).toSorted((a, b) => (a.revision ?? 0) - (b.revision ?? 0));
  const gets = reads.filter(({ name }) => name !== undefined);
  const least = (read: ReadRecord): number => newestAcknowledged[read.acknowledgedBefore] ?? from;
  return [...gets.flatMap((read) => contradictionOfGet(read, least(read), phases)), ...contradictionsOfLists(lists, least, history)];
}

function phasesOf(history: readonly HistoryEvent[]): ReadonlyMap<string, readonly Phase[]> {
  return new Map(
    [...Map.groupBy(history, ({ name }) => name)].map(([name, events]) => [
      name,
      [
        { revision: undefined, until: events[0]?.revision ?? Infinity },
        ...events.map(({ type, revision }, index) => ({
          revision: type === 'DELETED' ? undefined : revision,
          until: events[index + 1]?.revision ?? Infinity,
        })),
      ],
    ]),
  );
}

function contradictionOfGet(
  { name = '', found }: ReadRecord,
  least: number,
  phases: ReadonlyMap<string, readonly Phase[]>,
): readonly string[] {
  const revision = found.get(name);
  const own = phases.get(name) ?? [{ revision: undefined, until: Infinity }];
  if (own.some((phase) => phase.revision === revision && phase.until > least)) return [];
  return [`a read of ${name} after revision ${least} was acknowledged returned ${revision ?? 'nothing'}`];
}

function contradictionsOfLists(
  lists: readonly ReadRecord[],
  least: (read: ReadRecord) => number,
  history: readonly HistoryEvent[],
): readonly string[] {
  const state = new Map<string, number>();
  let next = 0;
  return lists.flatMap((list) => {
    const { revision = 0, found } = list;
    for (let event = history[next]; event !== undefined && event.revision <= revision; event = history[++next]) {
      if (event.type === 'DELETED') state.delete(event.name);
      else state.set(event.name, event.revision);
    }
    if (revision < least(list)) return [`a list is of revision ${revision} after ${least(list)} was acknowledged`];
    return isSame(found, state) ? [] : [`a list of revision ${revision} returned ${told(found)} instead of ${told(state)}`];
  });
}

function isSame(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([name, revision]) => b.get(name) === revision);
}

function told(state: ReadonlyMap<string, number>): string {
  return `{${[...state].map(([name, revision]) => `${name}@${revision}`).join(' ')}}`;
}

function contradictionsOfFollow(
  what: string,
  from: number,
  events: readonly HistoryEvent[],
  history: readonly HistoryEvent[],
): readonly string[] {
  const last = events.at(-1)?.revision ?? from;
  const wanted = history.filter(({ revision }) => revision > from && revision <= last).map(lineOf);
  const seen = events.map(lineOf);
  const first = seen.findIndex((line, index) => line !== wanted[index]);
  if (first >= 0) return [`${what} told ${seen[first]} where history has ${wanted[first] ?? 'nothing'}`];
  return seen.length === wanted.length ? [] : [`${what} left out ${wanted[seen.length]}`];
}

function lineOf({ type, name, revision, writer }: HistoryEvent): string {
  return `${revision} ${type} ${name} by ${writer}`;
}
