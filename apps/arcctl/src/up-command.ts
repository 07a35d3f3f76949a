import { UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { messageOf, parseDuration } from '@arc/kernel';
import type { LogLevel } from '@arc/kernel';
import { textOption } from './command.ts';
import type { Invocation } from './command.ts';
import { defaultDataDirectory } from './default-data-directory.ts';
import type { UpOptions } from './up-options.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** `arcctl up`: the only command that loads server, engine and storage. */
export async function runUpCommand(invocation: Invocation): Promise<ExitCode | void> {
  const { runUp } = await import('./up/command.ts');
  return await runUp(upOptionsFrom(invocation), invocation.streams);
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
  };
}

function minimumIntervalFrom(invocation: Pick<Invocation, 'options'>): number {
  let ms: number;
  try {
    ms = parseDuration(textOption(invocation, 'cronMinScheduleInterval') ?? '10m');
  } catch (error) {
    throw new UsageError(`--cron-min-schedule-interval: ${messageOf(error)}`, {
      hint: 'Write for example 90s, 10m or 1h; 0 for no limit.',
    });
  }
  if (ms >= 0) return ms;
  throw new UsageError('--cron-min-schedule-interval must not be negative');
}
