import { stat } from 'node:fs/promises';
import { headPath, readFrom, readIfThere, readLayout, tailPath, timesPath } from './log-file.ts';
import type { LogTimes } from './log-times.ts';
import { parseTimes } from './log-times.ts';

export interface LogFilter {
  readonly tailLines?: number;
  /** Milliseconds since the epoch. */
  readonly sinceTime?: number;
  readonly timestamps?: boolean;
}

export interface LogContent {
  readonly bytes: Buffer;
  /** The offset, within everything ever written, at which this reading ended: always after a whole line or at the end. */
  readonly end: number;
}

const newline = 0x0a;

interface Piece {
  /** Offset of its first byte. */
  readonly start: number;
  readonly bytes: Buffer;
}

/** How often a log is read anew that was shortened meanwhile: between two times a step has to write megabytes. */
const maxReads = 5;

/** Reads what is there of a log from offset `from` on. With `wholeLines`, an unfinished last line is left for later. */
export async function readLog(
  path: string,
  filter: LogFilter,
  from = 0,
  options: { readonly wholeLines?: boolean } = {},
): Promise<LogContent> {
  const pieces = await readPieces(path, from);
  const wanted = pieces.map((piece, index) => {
    const isLive = index === pieces.length - 1;
    const start = isLive ? Math.max(piece.start, from) : piece.start;
    if (isLive || piece.start >= from) return { start, bytes: piece.bytes };
    return { start: from, bytes: piece.bytes.subarray(Math.min(piece.bytes.length, from - piece.start)) };
  });
  const live = wanted.at(-1);
  let end = (live?.start ?? 0) + (live?.bytes.length ?? 0);
  if (options.wholeLines === true && live !== undefined) {
    const whole = live.bytes.lastIndexOf(newline) + 1;
    end = live.start + whole;
    wanted[wanted.length - 1] = { start: live.start, bytes: live.bytes.subarray(0, whole) };
  }
  const needsTimes = filter.timestamps === true || filter.sinceTime !== undefined;
  if (!needsTimes && filter.tailLines === undefined) return { bytes: Buffer.concat(wanted.map((piece) => piece.bytes)), end };
  const times = needsTimes ? await timesOf(path) : undefined;
  let lines = wanted.flatMap((piece) => linesOf(piece.bytes, piece.start));
  if (filter.sinceTime !== undefined && times !== undefined) {
    const since = filter.sinceTime;
    lines = lines.filter((line) => times.at(line.start) >= since);
  }
  if (filter.tailLines !== undefined) lines = filter.tailLines === 0 ? [] : lines.slice(-filter.tailLines);
  const parts = lines.flatMap((line) =>
    filter.timestamps === true && times !== undefined
      ? [Buffer.from(`${new Date(times.at(line.start)).toISOString()} `), line.bytes]
      : [line.bytes],
  );
  return { bytes: Buffer.concat(parts), end };
}

/** The last piece is what is written at the moment; the others are there if the log was shortened. */
async function readPieces(path: string, from: number): Promise<Piece[]> {
  for (let reads = 1; ; reads++) {
    const layout = await readLayout(path);
    const pieces: Piece[] = [];
    if (layout.liveBase > 0) {
      const head = (await readIfThere(headPath(path))) ?? Buffer.alloc(0);
      const tail = (await readIfThere(tailPath(path))) ?? Buffer.alloc(0);
      pieces.push({ start: 0, bytes: head });
      const dropped = layout.tailStart - layout.headEnd;
      if (dropped > 0 && from < layout.tailStart) {
        pieces.push({ start: layout.headEnd, bytes: Buffer.from(`\n[... ${dropped} bytes of this log were dropped ...]\n`) });
      }
      pieces.push({ start: layout.tailStart, bytes: tail });
    }
    pieces.push({ start: layout.liveBase, bytes: await readFrom(path, Math.max(0, from - layout.liveBase)) });
    const isConsistent = (await readLayout(path)).liveBase === layout.liveBase;
    if (isConsistent || reads === maxReads) return pieces;
  }
}

async function timesOf(path: string): Promise<LogTimes> {
  const text = (await readIfThere(timesPath(path)))?.toString() ?? '';
  return parseTimes(text, (await stat(path)).mtimeMs);
}

function linesOf(bytes: Buffer, start: number): { readonly start: number; readonly bytes: Buffer }[] {
  const lines: { readonly start: number; readonly bytes: Buffer }[] = [];
  for (let position = 0; position < bytes.length;) {
    const end = bytes.indexOf(newline, position);
    const next = end < 0 ? bytes.length : end + 1;
    lines.push({ start: start + position, bytes: bytes.subarray(position, next) });
    position = next;
  }
  return lines;
}
