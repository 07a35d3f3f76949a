import { open, readFile, rename, stat, truncate, unlink, writeFile } from 'node:fs/promises';
import { codeOf } from '@arc/kernel';

/**
 * Where the parts of one log lie within everything that was ever written to it: the head, a gap, the kept tail, and the
 * file that is appended to.
 */
export interface LogLayout {
  /** The head is [0, headEnd). */
  readonly headEnd: number;
  /** The tail is [tailStart, liveBase). */
  readonly tailStart: number;
  /** Offset of the first byte of the live file. */
  readonly liveBase: number;
}

const wholeLayout: LogLayout = { headEnd: 0, tailStart: 0, liveBase: 0 };

export const headPath = (path: string): string => `${path}.head`;
export const tailPath = (path: string): string => `${path}.tail`;
const layoutPath = (path: string): string => `${path}.layout`;
export const timesPath = (path: string): string => `${path}.times`;

/** Every file that belongs to the log at `path`. */
function partsOf(path: string): readonly string[] {
  return [path, headPath(path), tailPath(path), layoutPath(path), timesPath(path)];
}

export async function readLayout(path: string): Promise<LogLayout> {
  const text = await readIfThere(layoutPath(path));
  return text === undefined ? wholeLayout : (JSON.parse(text.toString()) as LogLayout);
}

/**
 * Shortens a live file that has outgrown its limits: the head is kept once, of the rest only the last `tailBytes`. Bytes
 * written between reading and truncating are lost, which is the price of letting steps write to a plain file.
 */
export async function shorten(path: string, limits: { readonly headBytes: number; readonly tailBytes: number }): Promise<void> {
  const layout = await readLayout(path);
  const live = await readFile(path);
  const isFirst = layout.liveBase === 0;
  const headEnd = isFirst ? Math.min(limits.headBytes, live.length) : layout.headEnd;
  const rest = isFirst ? live.subarray(headEnd) : live;
  const tail = rest.subarray(Math.max(0, rest.length - limits.tailBytes));
  const liveBase = layout.liveBase + live.length;
  if (isFirst) await writeWhole(headPath(path), live.subarray(0, headEnd));
  await writeWhole(tailPath(path), tail);
  await writeWhole(layoutPath(path), Buffer.from(JSON.stringify({ headEnd, tailStart: liveBase - tail.length, liveBase })));
  await truncate(path, 0);
}

async function writeWhole(path: string, content: Uint8Array): Promise<void> {
  await writeFile(`${path}.new`, content, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

export async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Reads from `start` to the end of what is there now. */
export async function readFrom(path: string, start: number): Promise<Buffer> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    if (size <= start) return Buffer.alloc(0);
    const buffer = Buffer.alloc(size - start);
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

export async function removeLog(path: string): Promise<void> {
  for (const part of partsOf(path)) {
    await unlink(part).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}

/** Moves a log with all its parts. */
export async function moveLog(from: string, to: string): Promise<void> {
  const targets = partsOf(to);
  for (const [index, part] of partsOf(from).entries()) {
    const target = targets[index] ?? to;
    await rename(part, target).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error;
    });
  }
}
