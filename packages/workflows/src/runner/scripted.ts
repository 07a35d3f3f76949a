import type { Attempt, AttemptId, AttemptResult, Observation, Runner, StartReport, StopReason } from './runner.ts';

/** What a scripted step does: an outcome now, or `undefined` to run until the test ends it. */
export type StepScript = (attempt: Attempt) => Partial<AttemptResult> | undefined;

interface Entry {
  readonly attempt: Attempt;
  readonly startedAt: number;
  observation: Observation;
}

/**
 * The host scripted steps run on. It outlives the runners made for it, so that a test can end an engine and start
 * another one over the same steps.
 */
export class ScriptedHost {
  readonly entries = new Map<string, Entry>();
  /** Every start in order; two entries with one key would be two attempts of one step. */
  readonly starts: string[] = [];
  readonly released: string[] = [];
  readonly removedClaims: string[] = [];
}

export interface ScriptedRunnerOptions {
  readonly now: () => number;
  readonly host?: ScriptedHost;
  readonly script?: StepScript;
  /** Images or programs the host lacks, by the first word of the command or by image. */
  readonly missing?: readonly string[];
}

/** A runner without processes for tests of whatever sits above one. */
export interface ScriptedRunner extends Runner {
  readonly host: ScriptedHost;
  /** The attempts that run now, by pod name. */
  running(): readonly Attempt[];
  /** Ends the running attempt of this node. */
  end(nodeName: string, result?: Partial<AttemptResult>): void;
  progress(nodeName: string, progress: string): void;
  /** The attempt vanishes, as after a reboot. */
  lose(nodeName: string): void;
}

export function createScriptedRunner(options: ScriptedRunnerOptions): ScriptedRunner {
  const { now, host = new ScriptedHost(), script, missing = [] } = options;
  const listeners = new Set<(id: AttemptId) => void>();
  const keyOf = (id: AttemptId): string => `${id.workflowUid}/${id.nodeId}`;
  const changed = (id: AttemptId): void => {
    for (const listener of listeners) listener(id);
  };
  const finish = (entry: Entry, result: Partial<AttemptResult>): void => {
    entry.observation = {
      state: 'ended',
      result: { startedAt: entry.startedAt, finishedAt: now(), exitCode: 0, outputs: {}, ...result },
    };
    changed(entry.attempt);
  };
  const runningEntry = (nodeName: string): Entry => {
    const entry = [...host.entries.values()].find(
      (candidate) => candidate.attempt.nodeName === nodeName && candidate.observation.state === 'running',
    );
    if (entry === undefined) throw new Error(`no attempt of ${nodeName} is running`);
    return entry;
  };
  return {
    host,
    hostName: 'scripted',
    description: 'scripted steps',
    recover: () => Promise.resolve([...host.entries.values()].map((entry) => entry.attempt)),
    missing: ({ image, command }) => {
      const lacking = [command[0], image].find((name) => name !== undefined && missing.includes(name));
      return Promise.resolve(lacking === undefined ? undefined : `program ${JSON.stringify(lacking)} is not on this host`);
    },
    start(attempt): Promise<StartReport> {
      const key = keyOf(attempt);
      if (!host.entries.has(key)) {
        const entry: Entry = { attempt, startedAt: now(), observation: { state: 'running', startedAt: now() } };
        host.entries.set(key, entry);
        host.starts.push(key);
        const result = script?.(attempt);
        if (result !== undefined) queueMicrotask(() => finish(entry, result));
      }
      return Promise.resolve({ rewrittenPaths: [] });
    },
    observe: (id) => Promise.resolve(host.entries.get(keyOf(id))?.observation ?? { state: 'absent' }),
    stop(id, reason: StopReason) {
      const entry = host.entries.get(keyOf(id));
      if (entry?.observation.state === 'running') finish(entry, { exitCode: 143, stopped: reason });
      return Promise.resolve();
    },
    release(id) {
      host.released.push(keyOf(id));
      host.entries.delete(keyOf(id));
      return Promise.resolve();
    },
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    known: (workflowUid) =>
      [...host.entries.values()].map((entry) => entry.attempt).filter((attempt) => attempt.workflowUid === workflowUid),
    removeClaims(workflowUid) {
      host.removedClaims.push(workflowUid);
      return Promise.resolve();
    },
    prune: () => Promise.resolve(),
    running: () => [...host.entries.values()].filter((entry) => entry.observation.state === 'running').map((entry) => entry.attempt),
    end: (nodeName, result = {}) => finish(runningEntry(nodeName), result),
    progress(nodeName, progress) {
      const entry = runningEntry(nodeName);
      entry.observation = { state: 'running', startedAt: entry.startedAt, progress };
      changed(entry.attempt);
    },
    lose(nodeName) {
      const entry = runningEntry(nodeName);
      entry.observation = { state: 'lost', startedAt: entry.startedAt, runs: 1 };
      changed(entry.attempt);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
