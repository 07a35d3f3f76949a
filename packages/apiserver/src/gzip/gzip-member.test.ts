import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { appendCrc32, crc32Shift } from './crc32.ts';
import { type DeflateBlock, deflateBlock, GzipMember, storedBlock } from './gzip-member.ts';

test('the checksum of a whole follows from those of its parts', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (parts) => {
      const joined = parts.reduce((crc, part) => appendCrc32(crc, crc32(part), crc32Shift(part.length)), 0);
      assert.equal(joined, crc32(Buffer.concat(parts)));
    }),
  );
  const long = Buffer.alloc(5_000_011, 'arc');
  assert.equal(appendCrc32(crc32('x'), crc32(long), crc32Shift(long.length)), crc32(Buffer.concat([Buffer.from('x'), long])));
});

test('blocks joined in any order are one gzip member with the texts in that order', async () => {
  const part = fc.record({ text: fc.oneof(fc.string(), fc.lorem({ maxCount: 200 })), stored: fc.boolean(), again: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(part), async (parts) => {
      const made = await Promise.all(
        parts.map(async ({ text, stored }) => (stored ? storedBlock(Buffer.from(text)) : await deflateBlock(Buffer.from(text)))),
      );
      // Blocks may be used more than once.
      const blocks = parts.flatMap(({ again }, index) =>
        made.slice(index, index + 1).flatMap((block) => (again ? [block, block] : [block])),
      );
      const text = parts.map(({ text, again }) => (again ? text + text : text)).join('');
      assert.equal(gunzipSync(memberOf(blocks)).toString(), text);
    }),
  );
});

test('a text longer than a stored block can be is stored in several', () => {
  const text = Buffer.from(Array.from({ length: 200_000 }, (_, index) => index % 251));
  assert.deepEqual(gunzipSync(memberOf([storedBlock(text)])), text);
});

test('a member without blocks is an empty text', () => {
  assert.equal(gunzipSync(memberOf([])).length, 0);
});

function memberOf(blocks: readonly DeflateBlock[]): Buffer {
  const member = new GzipMember();
  return Buffer.concat([member.begin(), ...blocks.map((block) => member.add(block)), member.end()]);
}
