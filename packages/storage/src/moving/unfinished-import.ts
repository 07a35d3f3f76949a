import { StorageError } from '../storage-error.ts';
import type { ImportPlan } from './import-target.ts';

/** What a store is refused with whose filling was not finished. `where` names it, as in messages. */
export function unfinishedImport(where: string, { command }: ImportPlan): StorageError {
  return new StorageError('BadDatabase', `${where} was not filled completely: a copy into it has not been finished`, {
    hint: `Run again what was begun, which goes on where it stopped: ${command}`,
  });
}

export function encodePlan(plan: ImportPlan): string {
  return JSON.stringify(plan);
}

/** A plan that cannot be read is one that nothing goes on with. */
export function decodePlan(text: string): ImportPlan {
  const plan = parsed(text);
  return {
    fingerprint: String(plan['fingerprint'] ?? ''),
    objects: Number(plan['objects'] ?? 0),
    revision: Number(plan['revision'] ?? 0),
    command: String(plan['command'] ?? 'arcctl storage copy, or restore, with --replace'),
  };
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}
