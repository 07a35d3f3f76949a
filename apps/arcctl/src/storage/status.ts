import { formatBytes } from '@arc/cli-kit';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { chosenStorage } from './chosen-storage.ts';
import type { ChosenStorage } from './chosen-storage.ts';
import { etcdOptions } from '@arc/composition/storage';

/** What is shown, by its name in JSON. */
interface Status {
  readonly backend: string;
  readonly usable: boolean;
  /** What to do where it is not usable. */
  readonly hint?: string;
  readonly resources?: Readonly<Record<string, number>>;
  readonly [name: string]: string | number | boolean | Readonly<Record<string, number>> | undefined;
}

const labels: Readonly<Record<string, string>> = {
  backend: 'Backend',
  serverVersion: 'Server version',
  schema: 'Schema',
  schemaVersion: 'Schema version',
  usable: 'Usable by this version',
  inUse: 'In use by a process',
  otherSessions: 'Sessions of others',
  revision: 'Newest revision',
  compactedRevision: 'History begins at',
  changes: 'Changes in the log',
  bytes: 'Size',
  objects: 'Objects',
};

/**
 * `arcctl storage status`.
 *
 * @throws UsageError; StorageError `BadDatabase`, `Unavailable`
 */
export async function showStorageStatus(invocation: Invocation): Promise<void> {
  const { stdout } = invocation.streams;
  const status = await statusOf(invocation, chosenStorage(invocation));
  if (textOption(invocation, 'output') === 'json') {
    stdout.write(`${JSON.stringify(status, null, 2)}\n`);
    return;
  }
  for (const [name, label] of Object.entries(labels)) {
    const value = status[name];
    if (value !== undefined) stdout.write(`${`${label}:`.padEnd(24)}${shown(name, value, status)}\n`);
  }
  for (const [resource, count] of Object.entries(status.resources ?? {})) stdout.write(`${String(count).padStart(9)}  ${resource}\n`);
}

async function statusOf({ signal }: Invocation, { choice, password }: ChosenStorage): Promise<Status> {
  switch (choice.kind) {
    case 'postgres':
      return await databaseStatus(choice.url, password);
    case 'etcd': {
      const { inspectEtcd } = await import('@arc/storage-etcd');
      return { backend: 'etcd', ...usability(await inspectEtcd({ ...(await etcdOptions(choice.url)), signal })) };
    }
    case 'sqlite': {
      const { inspectSqlite } = await import('@arc/storage-sqlite');
      return { backend: 'sqlite', ...usability(inspectSqlite(choice.file)) };
    }
    case 'memory':
      return { backend: 'memory', usable: true };
  }
}

async function databaseStatus(url: string, password: string | undefined): Promise<Status> {
  const { inspectPostgres } = await import('@arc/storage-postgres');
  const { content, wantedVersion, namesakes, ...head } = await inspectPostgres({ url, ...(password !== undefined && { password }) });
  const backend = { backend: 'postgres', inUse: namesakes > 0, ...head };
  if (content !== undefined) return { ...backend, ...usability(content) };
  const hint =
    head.schemaVersion < wantedVersion
      ? 'run arcctl storage migrate with the same --storage'
      : `a newer ARC has migrated it, this one knows version ${wantedVersion}: run that one`;
  return { ...backend, usable: false, hint };
}

function usability<T extends { readonly unfinished: string | undefined }>({
  unfinished,
  ...facts
}: T): Omit<T, 'unfinished'> & { readonly usable: boolean; readonly hint?: string } {
  if (unfinished === undefined) return { ...facts, usable: true };
  return { ...facts, usable: false, hint: `a copy into it has not been finished; run again ${unfinished}` };
}

function shown(name: string, value: unknown, { hint }: Status): string {
  if (name === 'usable' && value === false) return `no: ${hint ?? 'arcctl storage doctor says why'}`;
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (name === 'bytes') return formatBytes(Number(value));
  return String(value);
}
