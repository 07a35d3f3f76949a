import { formatBytes } from '@arc/cli-kit';
import type { Store } from '@arc/storage';
import { inspectSqlite } from '@arc/storage-sqlite';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { openStore } from '../up/storage-url.ts';
import { chosenStorage } from './chosen-storage.ts';
import type { ChosenStorage } from './chosen-storage.ts';

/** What is shown, by its name in JSON. */
type Status = Readonly<Record<string, string | number | boolean>>;

const labels: Readonly<Record<string, string>> = {
  backend: 'Backend',
  serverVersion: 'Server version',
  schema: 'Schema',
  schemaVersion: 'Schema version',
  usable: 'Usable by this version',
  revision: 'Newest revision',
  compactedRevision: 'History begins at',
  objects: 'Objects',
  changes: 'Changes in the log',
  bytes: 'Size',
};

/**
 * `arcctl storage status`.
 *
 * @throws UsageError; StorageError `BadDatabase`, `Unavailable`, `Locked`
 */
export async function showStorageStatus(invocation: Invocation): Promise<void> {
  const { stdout } = invocation.streams;
  const chosen = chosenStorage(invocation);
  const status = await statusOf(invocation, chosen);
  if (textOption(invocation, 'output') === 'json') {
    stdout.write(`${JSON.stringify(status, null, 2)}\n`);
    return;
  }
  for (const [name, value] of Object.entries(status)) stdout.write(`${`${labels[name] ?? name}:`.padEnd(24)}${shown(name, value)}\n`);
}

async function statusOf(invocation: Invocation, chosen: ChosenStorage): Promise<Status> {
  const { choice, password } = chosen;
  if (choice.kind === 'postgres') return await databaseStatus(choice.url, password);
  if (choice.kind === 'sqlite') return { backend: 'sqlite', ...inspectSqlite(choice.file) };
  return await storeStatus(invocation, chosen);
}

async function databaseStatus(url: string, password: string | undefined): Promise<Status> {
  const { inspectPostgres } = await import('@arc/storage-postgres');
  const { content, wantedVersion, ...head } = await inspectPostgres({ url, ...(password !== undefined && { password }) });
  return { backend: 'postgres', ...head, usable: head.schemaVersion === wantedVersion, ...content };
}

async function storeStatus({ signal }: Invocation, { choice, password }: ChosenStorage): Promise<Status> {
  await using store = await openStore(choice, { signal, password, readOnly: true });
  const [revision, compactedRevision] = [await store.currentRevision({ signal }), await store.compactedRevision()];
  return { backend: choice.kind, usable: true, revision, compactedRevision, objects: await countObjects(store, signal) };
}

async function countObjects(store: Store, signal: AbortSignal): Promise<number> {
  let count = 0;
  for (let after: string | undefined = ''; after !== undefined;) {
    const page = await store.range({ prefix: '', limit: 1000, after, signal });
    count += page.items.length;
    after = page.more ? page.items.at(-1)?.key : undefined;
  }
  return count;
}

function shown(name: string, value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no; arcctl storage doctor says why and what to do';
  if (name === 'bytes') return formatBytes(Number(value));
  return String(value);
}
