import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { FakeClock } from '@arc/kernel';
import type { Outgoing } from './exchange.ts';
import type { LiveFeed } from './reply.ts';
import { writeFeed } from './write-feed.ts';

class Feed implements LiveFeed {
  ended = false;
  readonly #chunks: string[] = [];
  #ready: () => void = () => {};

  push(...chunks: string[]): void {
    this.#chunks.push(...chunks);
    this.#ready();
  }

  end(): void {
    this.ended = true;
    this.#ready();
  }

  next(): Uint8Array | undefined {
    const chunk = this.#chunks.shift();
    return chunk === undefined ? undefined : Buffer.from(chunk);
  }

  onReady(ready: () => void): void {
    this.#ready = ready;
  }

  [Symbol.dispose](): void {}
}

/** A connection that is full after a number of writes. */
function connection(room: number): { outgoing: Outgoing; written: string[]; emitter: EventEmitter } {
  const written: string[] = [];
  const emitter = new EventEmitter();
  const outgoing = Object.assign(emitter, {
    destroyed: false,
    write: (chunk: Uint8Array) => written.push(Buffer.from(chunk).toString()) < room,
  }) as unknown as Outgoing;
  return { outgoing, written, emitter };
}

test('what a feed has is written in order, and its end ends the answer', async () => {
  const { outgoing, written, emitter } = connection(100);
  const feed = new Feed();
  feed.push('a');
  const done = writeFeed(outgoing, feed, { clock: new FakeClock(), signal: new AbortController().signal });
  feed.push('b', 'c');
  feed.end();
  await done;
  assert.deepEqual(written, ['a', 'b', 'c']);
  assert.equal(emitter.listenerCount('drain') + emitter.listenerCount('close'), 0);
});

test('a full connection is written to when it has drained, and not before', async () => {
  const clock = new FakeClock();
  const { outgoing, written, emitter } = connection(2);
  const feed = new Feed();
  const done = writeFeed(outgoing, feed, { clock, signal: new AbortController().signal });
  feed.push('a', 'b', 'c');
  feed.push('d');
  assert.deepEqual(written, ['a', 'b']);
  assert.equal(clock.pendingTimers, 1);
  written.length = 0;
  emitter.emit('drain');
  assert.deepEqual(written, ['c', 'd']);
  emitter.emit('drain');
  feed.end();
  await done;
  assert.equal(clock.pendingTimers, 0);
});

test('a client that reads nothing for half a minute is given up, one that leaves at once', async () => {
  const clock = new FakeClock();
  const options = { clock, signal: new AbortController().signal };
  const stalled = connection(1);
  const feed = new Feed();
  const writing = writeFeed(stalled.outgoing, feed, options);
  feed.push('a');
  const refused = assert.rejects(writing, { code: 'SlowConsumer' });
  await clock.advance(30_000);
  await refused;
  feed.push('b');
  assert.deepEqual(stalled.written, ['a']);

  const left = connection(1);
  const gone = assert.rejects(writeFeed(left.outgoing, new Feed(), options), { code: 'ClientGone' });
  left.emitter.emit('close');
  await gone;
  const aborted = AbortSignal.abort(new Error('closing'));
  await assert.rejects(writeFeed(connection(1).outgoing, new Feed(), { clock, signal: aborted }), /closing/);
});
