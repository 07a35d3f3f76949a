import { open, readdir, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Clock, Logger } from '@arc/kernel';
import { ArcError, codeOf, messageOf, silentLogger, systemClock } from '@arc/kernel';
import type { LogRef, LogStore } from '../../logs/log-store.ts';
import type { Attempt, AttemptId, Observation, Runner, StartReport, StopReason } from '../runner.ts';
import { AttemptDirectory } from './attempt-directory.ts';
import type { AttemptRecord } from './attempt-directory.ts';
import type { ImageMap } from './image-map.ts';
import { resolveProgram } from './image-map.ts';
import { probePathMode } from './probe.ts';
import { isAlive, membersOf, readBootId, signalAll } from './process-identity.ts';
import { readResult } from './read-result.ts';
import { spawnSupervisor } from './spawn.ts';
import { stageAttempt } from './stage.ts';
import type { PathMode } from './supervisor.ts';

export interface ProcessRunnerOptions {
  /** Owns `attempts/` and `claims/` in it. One process at a time. */
  readonly directory: string;
  readonly logs: LogStore;
  /** The host's PATH, appended to whatever a template sets. */
  readonly path: string;
  readonly images?: ImageMap;
  /** Variables every step gets besides its own, such as those of a proxy. Nothing else of the host's environment does. */
  readonly env?: Readonly<Record<string, string>>;
  /** Between asking a step to end and killing it. Default 30 s. */
  readonly graceMs?: number;
  /** `auto`: a private mount namespace where the host permits it, otherwise rewriting of declared paths. */
  readonly paths?: 'auto' | 'namespace' | 'rewrite';
  readonly clock?: Clock;
  readonly logger?: Logger;
}

interface Entry {
  readonly id: AttemptId;
  readonly directory: AttemptDirectory;
  readonly ended: PromiseWithResolvers<void>;
  record: AttemptRecord | undefined;
  observation: Observation;
  stopping: Promise<void> | undefined;
}

/** How often survivors of an earlier process are looked at, and the progress of every step is read. */
const adoptedPollMs = 200;
const progressPollMs = 1000;
const killPollMs = 20;
/** How often processes that have appeared meanwhile are looked for while a step is given time to end. */
const askAgainMs = 250;

/**
 * Runs steps as processes of this host. Each is accompanied by a supervisor of its own that survives the engine; after a
 * crash the next runner on the same directory takes over what still runs and picks up what has ended.
 *
 * @throws ArcError `UnsupportedPlatform` outside Linux; `NamespacesNotPermitted` when they were demanded
 */
export async function createProcessRunner(options: ProcessRunnerOptions): Promise<Runner & { readonly pathMode: PathMode }> {
  const { directory: home, logs, path, images = {}, env = {}, graceMs = 30_000, clock = systemClock, logger = silentLogger } = options;
  const bootId = await readBootId().catch((error: unknown) => {
    throw new ArcError('UnsupportedPlatform', 'steps can run as local processes on Linux only: there is no /proc here', { cause: error });
  });
  const pathMode = await probePathMode(home, options.paths ?? 'auto');
  const attempts = join(home, 'attempts');
  const entries = new Map<string, Entry>();
  const listeners = new Set<(id: AttemptId) => void>();
  const stopped = new AbortController();
  let progressTimer: Disposable | undefined;

  const changed = (id: AttemptId): void => {
    for (const listener of listeners) listener(id);
  };

  function newEntry(id: AttemptId, observation: Observation): Entry {
    const entry: Entry = {
      id: { workflowUid: id.workflowUid, nodeId: id.nodeId },
      directory: new AttemptDirectory(join(attempts, id.workflowUid, id.nodeId)),
      ended: Promise.withResolvers(),
      record: undefined,
      observation,
      stopping: undefined,
    };
    entries.set(keyOf(id), entry);
    return entry;
  }

  async function start(attempt: Attempt): Promise<StartReport> {
    if (entries.has(keyOf(attempt))) return { rewrittenPaths: [] };
    const startedAt = clock.now();
    const entry = newEntry(attempt, { state: 'running', startedAt });
    try {
      const runs = 1 + ((await entry.directory.readRecord())?.runs ?? 0);
      await entry.directory.remove();
      await entry.directory.create();
      const claims = join(home, 'claims', attempt.workflowUid);
      const staged = await stageAttempt(entry.directory, attempt, { mode: pathMode, images, path, claims, env });
      entry.record = {
        ...entry.id,
        namespace: attempt.namespace,
        workflowName: attempt.workflowName,
        nodeName: attempt.nodeName,
        podName: attempt.podName,
        command: staged.argv,
        captureResult: attempt.captureResult,
        outputs: attempt.outputs,
        paths: staged.paths,
        startedAt,
        runs,
      };
      await entry.directory.writeRecord(entry.record);
      await run(entry, entry.record, staged);
      watchProgress();
      return { rewrittenPaths: staged.rewrittenPaths };
    } catch (error) {
      entries.delete(keyOf(attempt));
      entry.ended.resolve();
      await entry.directory.remove();
      throw error;
    }
  }

  async function run(entry: Entry, record: AttemptRecord, staged: Awaited<ReturnType<typeof stageAttempt>>): Promise<void> {
    const log = await open(await logs.begin(logRef(record)), 'a', 0o600);
    try {
      const { exited, detach } = await spawnSupervisor(entry.directory, {
        staged,
        log: log.fd,
        mode: pathMode,
        captureResult: record.captureResult,
        mark: markOf(entry.directory),
      });
      logs.collect(logRef(record));
      detach();
      void exited.then(() => settle(entry));
    } finally {
      await log.close();
    }
  }

  /** The supervisor is gone: reads what it left, or finds that it left nothing. */
  async function settle(entry: Entry): Promise<void> {
    const { record, directory } = entry;
    if (record === undefined || entry.observation.state !== 'running') return;
    let outcome: Observation;
    try {
      const isStopped = (await directory.readStop()) !== undefined;
      if ((await directory.readExit()) === undefined) await killAll(entry);
      const hasExit = (await directory.readExit()) !== undefined;
      outcome =
        hasExit || isStopped
          ? { state: 'ended', result: await readResult(directory, record, { exitCode: 137, finishedAt: clock.now() }) }
          : { state: 'lost', startedAt: record.startedAt, runs: record.runs };
      await directory.removeVolumes();
    } catch (error) {
      logger.error('the outcome of a step could not be read', { pod: record.podName, error: messageOf(error) });
      const failed = { startedAt: record.startedAt, finishedAt: clock.now(), exitCode: 255, outputs: {} };
      outcome = {
        state: 'ended',
        result: { ...failed, error: `the outcome of the step could not be read: ${messageOf(error)}` },
      };
    }
    await logs.end(logRef(record));
    // Last, so that whoever sees that it has ended finds its whole log, and no Secret of it any more.
    entry.observation = outcome;
    entry.ended.resolve();
    changed(entry.id);
  }

  function stop(id: AttemptId, reason: StopReason): Promise<void> {
    const entry = entries.get(keyOf(id));
    if (entry === undefined || entry.observation.state !== 'running') return Promise.resolve();
    entry.stopping ??= end(entry, reason).catch((error: unknown) => {
      entry.stopping = undefined;
      throw error;
    });
    return entry.stopping;
  }

  async function end(entry: Entry, reason: StopReason): Promise<void> {
    const { directory } = entry;
    await directory.writeStop(reason);
    if ((await directory.readExit()) !== undefined) {
      await directory.removeStop();
      await entry.ended.promise;
      return;
    }
    const over = new AbortController();
    void entry.ended.promise.then(() => over.abort());
    using _grace = clock.after(graceMs, () => over.abort());
    await askAll(entry, over.signal);
    await killAll(entry);
    await entry.ended.promise;
  }

  /** Asks every process once to end, until the signal aborts: one that was being started when the others were asked, too. */
  async function askAll(entry: Entry, over: AbortSignal): Promise<void> {
    const asked = new Set<number>();
    while (!over.aborted) {
      const fresh = (await members(entry)).filter((pid) => !asked.has(pid));
      for (const pid of fresh) asked.add(pid);
      signalAll(fresh, 'SIGTERM');
      await clock.sleep(askAgainMs, over).catch(() => undefined);
    }
  }

  async function members(entry: Entry): Promise<readonly number[]> {
    return membersOf(markOf(entry.directory), await entry.directory.readIdentity(), bootId);
  }

  /** Kills until nothing is left: a process may have forked between being seen and being killed. */
  async function killAll(entry: Entry): Promise<void> {
    for (let left = await members(entry); left.length > 0; left = await members(entry)) {
      signalAll(left, 'SIGKILL');
      await clock.sleep(killPollMs);
    }
  }

  async function recover(): Promise<readonly AttemptId[]> {
    await rm(join(home, 'retired'), { recursive: true, force: true });
    for (const workflowUid of await namesIn(attempts)) {
      for (const nodeId of await namesIn(join(attempts, workflowUid))) {
        const id = { workflowUid, nodeId };
        if (!entries.has(keyOf(id))) await recoverAttempt(newEntry(id, { state: 'absent' }));
      }
    }
    watchProgress();
    return [...entries.values()].map((entry) => entry.id);
  }

  async function recoverAttempt(entry: Entry): Promise<void> {
    const { directory } = entry;
    const record = await directory.readRecord();
    if (record === undefined || (await directory.revoke())) {
      await killAll(entry);
      await directory.retire(join(home, 'retired'));
      entries.delete(keyOf(entry.id));
      return;
    }
    entry.record = record;
    entry.observation = { state: 'running', startedAt: record.startedAt };
    const identity = await claimedIdentity(directory);
    if (identity === undefined || !(await isAlive(identity, bootId))) {
      await settle(entry);
      return;
    }
    logger.info('a step that outlived the engine is taken over', { pod: record.podName, pid: identity.pid });
    logs.collect(logRef(record));
    void adopt(entry);
    const reason = await directory.readStop();
    if (reason !== undefined) void stop(entry.id, reason);
  }

  /** The supervisor writes its identity in one go; between creating and writing it there are microseconds. */
  async function claimedIdentity(directory: AttemptDirectory): Promise<Awaited<ReturnType<AttemptDirectory['readIdentity']>>> {
    for (let tries = 0; tries < 20; tries++) {
      const identity = await directory.readIdentity();
      if (identity !== undefined) return identity;
      await clock.sleep(killPollMs);
    }
    return undefined;
  }

  async function adopt(entry: Entry): Promise<void> {
    const identity = await entry.directory.readIdentity();
    while (identity !== undefined && (await isAlive(identity, bootId))) {
      if (stopped.signal.aborted) return;
      await clock.sleep(adoptedPollMs, stopped.signal).catch(() => undefined);
    }
    await settle(entry);
  }

  function watchProgress(): void {
    if (progressTimer !== undefined || stopped.signal.aborted) return;
    progressTimer = clock.after(progressPollMs, () => {
      progressTimer = undefined;
      void readAllProgress();
    });
  }

  async function readAllProgress(): Promise<void> {
    const running = [...entries.values()].filter((entry) => entry.observation.state === 'running');
    for (const entry of running) {
      const progress = await entry.directory.readProgress().catch(() => undefined);
      const known = entry.observation;
      if (progress === undefined || known.state !== 'running' || known.progress === progress) continue;
      entry.observation = { ...known, progress };
      changed(entry.id);
    }
    if (running.length > 0) watchProgress();
  }

  return {
    pathMode,
    hostName: hostname(),
    description: describeMode(pathMode),
    recover,
    async missing({ image, command }) {
      try {
        await resolveProgram(images, path, { image, command, args: [], inVolume: () => false });
        return undefined;
      } catch (error) {
        if (!(error instanceof ArcError)) throw error;
        return error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
      }
    },
    start,
    observe: (id) => Promise.resolve(entries.get(keyOf(id))?.observation ?? { state: 'absent' }),
    stop,
    async release(id) {
      const entry = entries.get(keyOf(id));
      if (entry === undefined || entry.observation.state === 'running') return;
      // What vanished keeps its record, so that the next run knows how many there were.
      if (entry.observation.state === 'ended') await entry.directory.remove();
      else await entry.directory.removeVolumes();
      entries.delete(keyOf(id));
    },
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    known: (workflowUid) => [...entries.values()].map((entry) => entry.id).filter((id) => id.workflowUid === workflowUid),
    async removeClaims(workflowUid) {
      await rm(join(home, 'claims', workflowUid), { recursive: true, force: true });
      if (![...entries.values()].some((entry) => entry.id.workflowUid === workflowUid)) {
        await rm(join(attempts, workflowUid), { recursive: true, force: true });
      }
    },
    async prune(exists) {
      for (const kind of ['attempts', 'claims']) {
        for (const uid of await namesIn(join(home, kind))) {
          const isKnown = [...entries.values()].some((entry) => entry.id.workflowUid === uid);
          if (!exists(uid) && !isKnown) await rm(join(home, kind, uid), { recursive: true, force: true });
        }
      }
    },
    async [Symbol.asyncDispose]() {
      stopped.abort();
      progressTimer?.[Symbol.dispose]();
      for (const { record, observation } of entries.values()) {
        if (record !== undefined && observation.state === 'running') await logs.end(logRef(record));
      }
    },
  };
}

function keyOf(id: AttemptId): string {
  return `${id.workflowUid}/${id.nodeId}`;
}

/**
 * The environment entry by which the processes of an attempt are known. Its directory and not its id: another server on this machine
 * may run the same attempt when it has taken over.
 */
function markOf(directory: AttemptDirectory): string {
  return `ARC_ATTEMPT=${resolve(directory.path)}`;
}

function logRef(record: AttemptRecord): LogRef {
  return { namespace: record.namespace, workflow: record.workflowName, pod: record.podName };
}

function describeMode(mode: PathMode): string {
  return mode === 'direct'
    ? 'local processes; declared paths are rewritten, since mount namespaces are not permitted or not wanted here'
    : 'local processes; declared paths in a private mount namespace each';
}

async function namesIn(directory: string): Promise<readonly string[]> {
  return readdir(directory).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
}
