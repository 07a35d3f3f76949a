import { parseDuration } from '@arc/kernel';
import { WorkflowError } from './workflow-error.ts';

/**
 * Milliseconds of an Argo duration: a Go duration, or a number without a unit, which means seconds (1.7).
 *
 * @throws WorkflowError naming the field
 */
export function argoDuration(value: string | number, field: string): number {
  const text = String(value).trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  try {
    return parseDuration(text);
  } catch (error) {
    throw new WorkflowError('InvalidDuration', `${field}: ${JSON.stringify(text)} is not a duration`, {
      cause: error,
      hint: 'Write a number with a unit, for example 90s, 15m or 1h30m.',
    });
  }
}
