import { UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { messageOf, parseDuration } from '@arc/kernel';
import type { LogLevel } from '@arc/kernel';
import { textOption } from './command.ts';
import type { Invocation } from './command.ts';
import { defaultDataDirectory } from './default-data-directory.ts';
import type { UpOptions } from './up-options.ts';

/** For what is left to be written. */
const endAfterMs = 1000;

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** `arcctl up`: the only command that loads server, engine and storage. */
export async function runUpCommand(invocation: Invocation): Promise<ExitCode | void> {
  const { runUp } = await import('./up/command.ts');
  const code = await runUp(upOptionsFrom(invocation), invocation.streams);
  // Everything has ended but for lookups of names that nobody answers for, which cannot be called off. The timer itself keeps no process.
  invocation.clock.after(endAfterMs, () => process.exit(code));
  return code;
}

export function upOptionsFrom(invocation: Pick<Invocation, 'options' | 'environment' | 'signal'>): UpOptions {
  const wanted = textOption(invocation, 'logLevel') ?? 'warn';
  const logLevel = levels.find((level) => level === wanted);
  if (logLevel === undefined) throw new UsageError(`--log-level must be one of ${levels.join(', ')}`);
  const kubeconfig = textOption(invocation, 'kubeconfig');
  const storage = textOption(invocation, 'storage');
  const storageReadUrl = textOption(invocation, 'storageReadUrl');
  const auditLog = textOption(invocation, 'auditLog');
  const auditPolicy = textOption(invocation, 'auditPolicy');
  if (auditPolicy !== undefined && auditLog === undefined) throw new UsageError('--audit-policy needs --audit-log FILE');
  const { PGPASSWORD: storagePassword } = invocation.environment;
  return {
    dataDir: textOption(invocation, 'dataDir') ?? defaultDataDirectory(invocation.environment),
    listen: textOption(invocation, 'listen') ?? '127.0.0.1:6443',
    logLevel,
    minimumCronInterval: minimumIntervalFrom(invocation),
    signal: invocation.signal,
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(storage !== undefined && { storage }),
    ...(storageReadUrl !== undefined && { storageReadUrl }),
    ...(auditLog !== undefined && { auditLog }),
    ...(auditPolicy !== undefined && { auditPolicy }),
    ...(storagePassword !== undefined && { storagePassword }),
    ...probeOptionsFrom(invocation),
  };
}

function minimumIntervalFrom(invocation: Pick<Invocation, 'options'>): number {
  const ms = durationFrom('--cron-min-schedule-interval', textOption(invocation, 'cronMinScheduleInterval') ?? '10m');
  if (ms >= 0) return ms;
  throw new UsageError('--cron-min-schedule-interval must not be negative');
}

function probeOptionsFrom(
  invocation: Pick<Invocation, 'options'>,
): Pick<UpOptions, 'endpointProbes' | 'endpointProbeTtlMs' | 'probeDenyCIDRs'> {
  const ttl = textOption(invocation, 'endpointProbeTtl');
  const networks = textOption(invocation, 'probeDenyCidrs');
  return {
    ...(textOption(invocation, 'endpointProbes') === 'off' && { endpointProbes: false }),
    ...(ttl !== undefined && { endpointProbeTtlMs: probeTtlFrom(ttl) }),
    ...(networks !== undefined && {
      probeDenyCIDRs: networks
        .split(',')
        .map((cidr) => cidr.trim())
        .filter((cidr) => cidr !== ''),
    }),
  };
}

function probeTtlFrom(text: string): number {
  const ms = durationFrom('--endpoint-probe-ttl', text);
  if (ms === 0 || ms >= 1000) return ms;
  throw new UsageError(`--endpoint-probe-ttl must be 0 or at least 1s, not ${text}`);
}

function durationFrom(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError(`${flag}: ${messageOf(error)}`, { hint: 'Write for example 90s, 15m or 1h30m.' });
  }
}
