import { UsageError } from '@arc/cli-kit';
import { parseDuration } from '@arc/kernel';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';

/** Every value of --group, in order, each once. */
export function groupsFrom({ options }: Pick<Invocation, 'options'>): readonly string[] {
  const { group } = options;
  return Array.isArray(group) ? [...new Set(group.filter((name) => typeof name === 'string'))] : [];
}

/** How long a credential is valid, in milliseconds. @throws UsageError, ArcError `InvalidDuration`. */
export function timeToLive(invocation: Pick<Invocation, 'options'>): number {
  const text = textOption(invocation, 'ttl') ?? '720h';
  const days = /^(\d+)d$/.exec(text)?.[1];
  const ms = days === undefined ? parseDuration(text) : Number(days) * 86_400_000;
  if (ms < 1_000) throw new UsageError('--ttl must be at least 1s', { hint: 'Write for example 12h or 30d.' });
  return ms;
}
