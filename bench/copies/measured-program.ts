import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';

/** What one run of a program took, from its start to its end. */
export interface ProgramCost {
  readonly wallMs: number;
  readonly cpuMs: number;
  /** The most memory it ever had resident. */
  readonly peakBytes: number;
}

/** How often the memory is looked at, in milliseconds; it is the high-water mark that is read, so nothing is missed but the very end. */
const lookMs = 10;

/** Runs a program; bash counts its CPU time, to the millisecond. @throws Error with what it said when it fails */
export async function measureProgram(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<ProgramCost> {
  const script = 'TIMEFORMAT="cpu %3U %3S"; time "$@"';
  const started = performance.now();
  const child = spawn('bash', ['-c', script, 'bash', ...argv], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString('utf8')}`.slice(-20_000)));
  child.stdout.resume();
  let peakBytes = 0;
  const looking = setInterval(() => (peakBytes = Math.max(peakBytes, peakOfChild(child.pid ?? 0))), lookMs);
  const [code] = (await once(child, 'close')) as [number | null];
  const wallMs = performance.now() - started;
  clearInterval(looking);
  const times = /^cpu ([\d.]+) ([\d.]+)$/m.exec(said);
  if (code !== 0 || times === null) throw new Error(`${argv.slice(0, 3).join(' ')} ended with ${code}: ${said.slice(-2000)}`);
  return { wallMs, cpuMs: (Number(times[1]) + Number(times[2])) * 1000, peakBytes: peakBytes === 0 ? Number.NaN : peakBytes };
}

/** VmHWM of the one child of bash; 0 when it is not there. */
function peakOfChild(pid: number): number {
  try {
    const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0] ?? '';
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}
