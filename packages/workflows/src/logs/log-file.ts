import { appendFileSync, closeSync, fstatSync, ftruncateSync, openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
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
 * Shortens a live file that has outgrown its limits: the head is kept once, of the rest the last `tailBytes`, and what was written
 * meanwhile. Steps write to a plain file, so bytes written between reading and truncating are lost. That is done last and in one go,
 * microseconds apart: while the rest is written down, a step writes megabytes, and ends.
 */
export async function shorten(path: string, limits: { readonly headBytes: number; readonly tailBytes: number }): Promise<void> {
  const { headBytes, tailBytes } = limits;
  const layout = await readLayout(path);
  const live = await readFile(path);
  const isFirst = layout.liveBase === 0;
  const headEnd = isFirst ? Math.min(headBytes, live.length) : layout.headEnd;
  if (isFirst) await writeWhole(headPath(path), live.subarray(0, headEnd));
  const earlier = isFirst || live.length >= tailBytes ? undefined : await readIfThere(tailPath(path));
  const tail = lastOf(Buffer.concat([earlier ?? Buffer.alloc(0), isFirst ? live.subarray(headEnd) : live]), tailBytes);
  const newTail = `${tailPath(path)}.new`;
  await writeFile(newTail, tail, { mode: 0o600 });

  const { late, size } = takeRest(path, live.length, tailBytes);
  const isConnected = size - late.length === live.length;
  if (isConnected) appendFileSync(newTail, late);
  else writeFileSync(newTail, late);
  renameSync(newTail, tailPath(path));
  const liveBase = layout.liveBase + size;
  const tailStart = liveBase - late.length - (isConnected ? tail.length : 0);
  const newLayout = `${layoutPath(path)}.new`;
  writeFileSync(newLayout, JSON.stringify({ headEnd, tailStart, liveBase }), { mode: 0o600 });
  renameSync(newLayout, layoutPath(path));
}

/** Empties a file of `size` bytes. What it held after `start` is returned, of more than `maxBytes` the last. */
function takeRest(path: string, start: number, maxBytes: number): { readonly late: Buffer; readonly size: number } {
  const file = openSync(path, 'r+');
  try {
    const chunks: Buffer[] = [];
    let size = Math.max(start, fstatSync(file).size - maxBytes);
    for (let count = -1; count !== 0; size += count) {
      const chunk = Buffer.allocUnsafe(64 * 1024);
      count = readSync(file, chunk, 0, chunk.length, size);
      chunks.push(chunk.subarray(0, count));
    }
    ftruncateSync(file, 0);
    return { late: Buffer.concat(chunks), size };
  } finally {
    closeSync(file);
  }
}

function lastOf(bytes: Buffer, count: number): Buffer {
  return bytes.subarray(Math.max(0, bytes.length - count));
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

/** Bytes that are kept of the log at `path`. */
export async function keptBytes(path: string): Promise<number> {
  const sizes = await Promise.all([path, headPath(path), tailPath(path)].map(sizeOf));
  return sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0);
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
