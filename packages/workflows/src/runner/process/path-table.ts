import { join } from 'node:path';

/** Where a declared path lies on the host. */
export interface PathEntry {
  readonly declared: string;
  readonly actual: string;
}

/** True when `path` is `prefix` or lies below it. */
export function isWithin(path: string, prefix: string): boolean {
  return path === prefix || prefix === '/' || path.startsWith(`${prefix}/`);
}

/** The host path of a declared one by its longest entry; undefined when none covers it. */
export function actualPath(entries: readonly PathEntry[], path: string): string | undefined {
  const entry = longestFirst(entries).find((candidate) => isWithin(path, candidate.declared));
  return entry === undefined ? undefined : join(entry.actual, path.slice(entry.declared === '/' ? 0 : entry.declared.length));
}

/**
 * Replaces declared paths in a text by where they lie on the host: the longest declared prefix wins, and only whole path
 * segments count, so that neither `/database` nor `s3://bucket/data` is taken for `/data`.
 */
export function rewritePaths(text: string, entries: readonly PathEntry[]): string {
  if (entries.length === 0) return text;
  const table = new Map(entries.map((entry) => [entry.declared, entry.actual]));
  const names = longestFirst(entries).map((entry) => entry.declared.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  const pattern = new RegExp(`(?<=^|file://|[^\\p{L}\\p{N}_.~\\-/}])(?:${names.join('|')})(?![\\p{L}\\p{N}_.\\-])`, 'gu');
  return text.replaceAll(pattern, (declared) => table.get(declared) ?? declared);
}

function longestFirst(entries: readonly PathEntry[]): readonly PathEntry[] {
  return [...entries].sort((a, b) => b.declared.length - a.declared.length);
}
