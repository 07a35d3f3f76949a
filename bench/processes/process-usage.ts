import { readFileSync } from 'node:fs';

/** Linux counts in hundredths of a second, whatever its timer does (USER_HZ). */
const tickMs = 10;

/**
 * CPU time in milliseconds of a process and its children, those that ended included; undefined where there is no /proc or
 * no such process.
 */
export function cpuTimeMs(pid: number): number | undefined {
  try {
    return [pid, ...childrenOf(pid)].reduce((sum, each) => sum + ownTicks(each), 0) * tickMs;
  } catch {
    return undefined;
  }
}

/** VmRSS of proc_pid_status(5), which is in units of 1024 bytes; undefined as above. */
export function residentBytes(pid: number): number | undefined {
  try {
    const found = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return found === undefined ? undefined : Number(found) * 1024;
  } catch {
    return undefined;
  }
}

function childrenOf(pid: number): readonly number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** utime, stime, cutime and cstime of proc_pid_stat(5), counted after the command's name, which may hold anything. */
function ownTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
}
