import { ArcError } from '@arc/kernel';
import { StorageError } from '../storage-error.ts';
import type { StoredValue } from '../store.ts';
import { summarise, type ContentSummary } from './content-summary.ts';
import type { ImportPlan, ImportResult, ImportTarget } from './import-target.ts';
import { inRevisionOrder } from './revision-order.ts';
import type { StoreSnapshot } from './snapshot.ts';

export interface CopyProgress {
  readonly phase: 'reading' | 'writing' | 'verifying';
  /** Objects. */
  readonly done: number;
  /** Not known while reading. */
  readonly total: number | undefined;
}

export interface CopyOptions {
  readonly signal: AbortSignal;
  /** What goes on with this copy, for messages; without passwords. */
  readonly command: string;
  /** Whether objects in the target, or an unfinished copy of something else, may be removed; default false. */
  readonly replace?: boolean;
  /** Added to the newest revision of the source to get that of the target; default 0. */
  readonly raiseBy?: number;
  readonly onProgress?: (progress: CopyProgress) => void;
  /** Called when everything is there and verified. When it rejects, the target stays unfinished. */
  readonly beforeFinish?: (copied: ContentSummary) => Promise<void>;
}

export interface CopyResult {
  readonly content: ContentSummary;
  /** Objects that an earlier run had written. */
  readonly resumedAfter: number;
  /** Undefined when the target held exactly this already, and nothing was changed. */
  readonly target: ImportResult | undefined;
}

/**
 * Fills a target with what a snapshot holds: bytes as they are, revisions kept or numbered anew in the same order as the
 * target does. Reads everything back and compares before the target becomes a store. May be killed at any point and run
 * again: it then goes on.
 *
 * @throws ArcError `NotEmpty`, `SourceChanged`; StorageError `BadDatabase` when what is read back differs; what the snapshot and the target
 *   fail with
 */
export async function copyContent(source: StoreSnapshot, target: ImportTarget, options: CopyOptions): Promise<CopyResult> {
  const { signal, command, raiseBy = 0, onProgress = () => {}, beforeFinish } = options;
  const content = await summarise(source.objects(signal), (done) => onProgress({ phase: 'reading', done, total: undefined }));
  const plan = { fingerprint: content.fingerprint, objects: content.objects, revision: source.revision, command };
  const resumedAfter = await prepare(target, plan, { content, options });
  if (resumedAfter === 'complete') return { content, resumedAfter: content.objects, target: undefined };
  await writeAll(source, target, { skip: resumedAfter, total: content.objects, options });
  const found = await summarise(target.objects(signal), (done) => onProgress({ phase: 'verifying', done, total: content.objects }));
  if (!isSame(content, found, target)) throw differs(content, found);
  await beforeFinish?.(content);
  signal.throwIfAborted();
  return { content, resumedAfter, target: await target.finish(source.revision + raiseBy) };
}

interface Preparation {
  readonly content: ContentSummary;
  readonly options: CopyOptions;
}

/** Makes the target ready for what comes, and tells how much of it is there already. */
async function prepare(target: ImportTarget, plan: ImportPlan, { content, options }: Preparation): Promise<number | 'complete'> {
  const { signal, replace = false } = options;
  const { objects, unfinished } = await target.state();
  if (unfinished?.fingerprint === plan.fingerprint && objects <= plan.objects) return objects;
  if (unfinished === undefined && objects > 0 && isSame(content, await summarise(target.objects(signal)), target)) return 'complete';
  if (unfinished !== undefined && !replace) throw otherPlan(unfinished);
  if (objects > 0 && !replace) throw notEmpty(objects);
  await target.begin(plan);
  return 0;
}

interface Writing {
  readonly skip: number;
  readonly total: number;
  readonly options: CopyOptions;
}

async function writeAll(source: StoreSnapshot, target: ImportTarget, { skip, total, options }: Writing): Promise<void> {
  const { signal, onProgress = () => {} } = options;
  let done = skip;
  onProgress({ phase: 'writing', done, total });
  for await (const page of target.keepsRevisions ? without(skip, source.objects(signal)) : inRevisionOrder(source, { signal, skip })) {
    for (const batch of batchesOf(page)) {
      signal.throwIfAborted();
      await target.write(batch);
      done += batch.length;
      onProgress({ phase: 'writing', done, total });
    }
  }
}

const maxBatchObjects = 1000;
const maxBatchBytes = 4 * 1024 * 1024;

function* batchesOf(values: readonly StoredValue[]): Generator<readonly StoredValue[], void, void> {
  let from = 0;
  let bytes = 0;
  for (const [index, { value }] of values.entries()) {
    if (index > from && (index - from >= maxBatchObjects || bytes + value.length > maxBatchBytes)) {
      yield values.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += value.length;
  }
  if (from < values.length) yield values.slice(from);
}

async function* without(count: number, pages: AsyncIterable<readonly StoredValue[]>): AsyncGenerator<readonly StoredValue[], void, void> {
  let left = count;
  for await (const page of pages) {
    if (left < page.length) yield page.slice(left);
    left = Math.max(0, left - page.length);
  }
}

function isSame(wanted: ContentSummary, found: ContentSummary, { keepsRevisions }: ImportTarget): boolean {
  return keepsRevisions ? wanted.fingerprint === found.fingerprint : wanted.sha256 === found.sha256;
}

function notEmpty(objects: number): ArcError {
  return new ArcError('NotEmpty', `the target holds ${objects} objects already`, {
    hint: 'Name an empty storage, or say --replace to remove them first. Nothing was changed.',
  });
}

function otherPlan({ objects, revision, command }: ImportPlan): ArcError {
  return new ArcError(
    'SourceChanged',
    `the target holds an unfinished copy of something else: ${objects} objects at revision ${revision}; or the source has changed since`,
    { hint: `Begin anew with --replace, or go on with what was begun: ${command}` },
  );
}

function differs(wanted: ContentSummary, found: ContentSummary): StorageError {
  const what = (summary: ContentSummary): string => `${summary.objects} objects with SHA-256 ${summary.sha256}`;
  return new StorageError('BadDatabase', `the target does not hold what was copied: ${what(found)} instead of ${what(wanted)}`, {
    hint: 'Something else writes to it, or to the source: stop that, then run the command again with --replace.',
  });
}
