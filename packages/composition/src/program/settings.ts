import { UsageError } from '@arc/cli-kit';
import { messageOf, parseDuration } from '@arc/kernel';
import type { LogLevel } from '@arc/kernel';
import type { OptionValues } from './option.ts';

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** How Endpoints are probed. */
export interface ProbeSettings {
  /** False: they are not. */
  readonly endpointProbes?: boolean;
  /** How old the result of a probe may become, milliseconds; 0 probes only after changes. */
  readonly endpointProbeTtlMs?: number;
  /** Networks that probes never dial. */
  readonly probeDenyCIDRs?: readonly string[];
}

export interface AuditSettings {
  /** File for audit events. */
  readonly auditLog?: string;
  /** File with an `audit.k8s.io/v1` Policy; only with `auditLog`. */
  readonly auditPolicy?: string;
}

/** The value of an option that takes text. */
export function textOf(options: OptionValues, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** @throws UsageError */
export function logLevelOf(options: OptionValues, otherwise: LogLevel): LogLevel {
  const wanted = textOf(options, 'logLevel') ?? otherwise;
  const logLevel = levels.find((level) => level === wanted);
  if (logLevel === undefined) throw new UsageError(`--log-level must be one of ${levels.join(', ')}`);
  return logLevel;
}

/** @throws UsageError */
export function auditSettingsOf(options: OptionValues): AuditSettings {
  const auditLog = textOf(options, 'auditLog');
  const auditPolicy = textOf(options, 'auditPolicy');
  if (auditPolicy !== undefined && auditLog === undefined) throw new UsageError('--audit-policy needs --audit-log FILE');
  return { ...(auditLog !== undefined && { auditLog }), ...(auditPolicy !== undefined && { auditPolicy }) };
}

/**
 * Shortest time between two runs of a schedule, milliseconds; 0: no limit.
 *
 * @throws UsageError
 */
export function minimumCronIntervalOf(options: OptionValues): number {
  const ms = durationOf('--cron-min-schedule-interval', textOf(options, 'cronMinScheduleInterval') ?? '10m');
  if (ms >= 0) return ms;
  throw new UsageError('--cron-min-schedule-interval must not be negative');
}

/** @throws UsageError */
export function probeSettingsOf(options: OptionValues): ProbeSettings {
  const ttl = textOf(options, 'endpointProbeTtl');
  const networks = textOf(options, 'probeDenyCidrs');
  return {
    ...(textOf(options, 'endpointProbes') === 'off' && { endpointProbes: false }),
    ...(ttl !== undefined && { endpointProbeTtlMs: probeTtlOf(ttl) }),
    ...(networks !== undefined && {
      probeDenyCIDRs: networks
        .split(',')
        .map((cidr) => cidr.trim())
        .filter((cidr) => cidr !== ''),
    }),
  };
}

function probeTtlOf(text: string): number {
  const ms = durationOf('--endpoint-probe-ttl', text);
  if (ms === 0 || ms >= 1000) return ms;
  throw new UsageError(`--endpoint-probe-ttl must be 0 or at least 1s, not ${text}`);
}

/**
 * Milliseconds.
 *
 * @throws UsageError
 */
export function durationOf(flag: string, text: string): number {
  try {
    return parseDuration(text);
  } catch (error) {
    throw new UsageError(`${flag}: ${messageOf(error)}`, { hint: 'Write for example 90s, 15m or 1h30m.' });
  }
}
