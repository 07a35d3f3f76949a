import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { decodeLines } from './watch-stream.ts';

async function* cut(bytes: Uint8Array, sizes: readonly number[]): AsyncIterable<Uint8Array> {
  let start = 0;
  for (const size of sizes) {
    yield bytes.subarray(start, start + size);
    start += size;
  }
  yield bytes.subarray(start);
}

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const value of values) collected.push(value);
  return collected;
}

test('events arrive whole however the bytes are cut, characters of several bytes included', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.string({ unit: 'grapheme' }).map((text) => ({ text, more: '🚢é\n' })),
        { maxLength: 5 },
      ),
      fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 60 }),
      async (events, sizes) => {
        const bytes = new TextEncoder().encode(events.map((event) => `${JSON.stringify(event)}\n`).join(''));
        assert.deepEqual(await collect(decodeLines(cut(bytes, sizes))), events);
      },
    ),
  );
});

test('a stream that ends inside an event, holds no JSON or grows without end is an error', async () => {
  const stream = (text: string): AsyncIterable<Uint8Array> => cut(new TextEncoder().encode(text), []);
  await assert.rejects(collect(decodeLines(stream('{"a":1}\n{"b"'))), { code: 'TruncatedStream' });
  await assert.rejects(collect(decodeLines(stream('<html>\n'))), { code: 'InvalidStream' });
  await assert.rejects(collect(decodeLines(stream('x'.repeat(100)), 50)), { code: 'ResponseTooLarge' });
});
