import { readdir, readFile } from 'node:fs/promises';
import { ArcError } from '@arc/kernel';

/** What tells one process from every other that ever had its pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Field 22 of /proc/<pid>/stat: clock ticks after boot. */
  readonly startTime: string;
  readonly bootId: string;
}

interface ProcessStat {
  readonly state: string;
  readonly processGroup: number;
  readonly session: number;
  readonly startTime: string;
}

/** The identity of this boot of the host. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Parses what the supervisor wrote: the boot id, then its own stat line. Undefined when it is not complete. */
export function parseIdentity(text: string): ProcessIdentity | undefined {
  const [bootId, statLine, rest] = text.split('\n');
  if (bootId === undefined || statLine === undefined || rest === undefined) return undefined;
  const pid = Number.parseInt(statLine, 10);
  const stat = parseStat(statLine);
  return stat === undefined || Number.isNaN(pid) ? undefined : { pid, startTime: stat.startTime, bootId };
}

/** True while exactly this process exists and is not a zombie. */
export async function isAlive(identity: ProcessIdentity, bootId: string): Promise<boolean> {
  if (identity.bootId !== bootId) return false;
  const stat = await readStat(identity.pid);
  return stat !== undefined && stat.startTime === identity.startTime && !isDead(stat);
}

/**
 * The living processes of an attempt: of its process group or session while its supervisor lives, and every process that
 * carries its mark in the environment, which finds those that left the session, or whose supervisor is gone.
 */
export async function membersOf(mark: string, identity: ProcessIdentity | undefined, bootId: string): Promise<readonly number[]> {
  const leader = identity !== undefined && (await isAlive(identity, bootId)) ? identity.pid : undefined;
  const members: number[] = [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  for (const pid of pids) {
    const stat = await readStat(pid);
    if (stat === undefined || isDead(stat)) continue;
    const isOurs = (leader !== undefined && (stat.processGroup === leader || stat.session === leader)) || (await carries(pid, mark));
    if (isOurs) members.push(pid);
  }
  return members;
}

async function carries(pid: number, mark: string): Promise<boolean> {
  const environment = await readProc(`/proc/${pid}/environ`);
  return environment?.split('\0').includes(mark) ?? false;
}

async function readStat(pid: number): Promise<ProcessStat | undefined> {
  const line = await readProc(`/proc/${pid}/stat`);
  return line === undefined ? undefined : parseStat(line);
}

/** The command, field 2, may hold spaces and parentheses: everything counts from its last one. */
function parseStat(line: string): ProcessStat | undefined {
  const fields = line
    .slice(line.lastIndexOf(')') + 2)
    .trim()
    .split(' ');
  const [state, , processGroup, session] = fields;
  const startTime = fields[19];
  if (state === undefined || startTime === undefined) return undefined;
  return { state, processGroup: Number(processGroup), session: Number(session), startTime };
}

function isDead(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}

/** A process may end at any moment, and those of other users do not show everything. */
async function readProc(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Sends a signal to each of the processes; those that have ended meanwhile do not matter. */
export function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      if (code === 'ESRCH') continue;
      throw new ArcError('SignalFailed', `process ${pid} of a step cannot be signalled: ${String(code)}`, { cause: error });
    }
  }
}
