import type { DeflateBlock } from '../gzip/gzip-member.ts';
import { JoinedEvents } from './joined-events.ts';
import { KeptEncodings } from './kept-encodings.ts';

const MiB = 1024 * 1024;
/** Cells of 150,000 objects, as tables are asked for again and again while only some of the objects change. */
const objectBytes = 48 * MiB;
/** Twice what lists of 100,000 objects of 1.5 KB compress to. */
const blockBytes = 64 * MiB;
/** Events are asked for by watchers that keep up within moments, by others that resume within minutes. */
const eventBytes = 16 * MiB;
/** What an entry takes beside its bytes. */
const entrySize = 160;

/** What a server keeps of the representations it has made of the objects in its watch cache. */
export interface Encodings {
  /** Of single objects: cells of tables, and objects in a form they are not stored in. */
  readonly objects: KeptEncodings<Uint8Array>;
  /** Of the runs that lists are made of, compressed; one that is being made counts nothing yet. */
  readonly blocks: KeptEncodings<KeptBlock>;
  /** Of events. */
  readonly events: KeptEncodings<Uint8Array>;
  /** Of the events that were written together last. */
  readonly joined: JoinedEvents;
}

export interface KeptBlock {
  readonly block: DeflateBlock | Promise<DeflateBlock>;
  /** The second within which it is right, when ages are part of it. */
  readonly second: number | undefined;
}

export function createEncodings(): Encodings {
  const objects = new KeptEncodings<Uint8Array>(objectBytes, ({ length }) => length + entrySize);
  const blocks = new KeptEncodings<KeptBlock>(blockBytes, ({ block }) => (block instanceof Promise ? 0 : block.bytes.length + entrySize));
  const events = new KeptEncodings<Uint8Array>(eventBytes, ({ length }) => length + entrySize);
  return { objects, blocks, events, joined: new JoinedEvents() };
}
