import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { encodeFrame, frameReader } from './frames.ts';

/** As clients send them: masked, in pieces if need be. */
function clientFrame(opcode: number, payload: Uint8Array, { mask = [1, 2, 3, 4], fin = true } = {}): Buffer {
  const server = encodeFrame('text', payload);
  const head = Buffer.from(server.subarray(0, server.length - payload.length));
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = (head[1] ?? 0) | 0x80;
  return Buffer.concat([head, Buffer.from(mask), payload.map((byte, at) => byte ^ (mask[at % 4] ?? 0))]);
}

test('4.7 frames say their length in as few bytes as RFC 6455 allows', () => {
  assert.deepEqual([...encodeFrame('text', Buffer.from('Hello'))], [0x81, 5, ...Buffer.from('Hello')]);
  assert.deepEqual([...encodeFrame('close', Buffer.alloc(0))], [0x88, 0]);
  assert.deepEqual([...encodeFrame('text', Buffer.alloc(125)).subarray(0, 2)], [0x81, 125]);
  assert.deepEqual([...encodeFrame('text', Buffer.alloc(126)).subarray(0, 4)], [0x81, 126, 0, 126]);
  assert.deepEqual([...encodeFrame('text', Buffer.alloc(65_536)).subarray(0, 10)], [0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0]);
});

test('4.7 the frames of a client are found however they arrive', () => {
  const payload = fc.uint8Array({ maxLength: 125 });
  const frame = fc.oneof(
    payload.map((bytes) => ({ type: 'ping' as const, payload: bytes, wire: clientFrame(0x9, bytes) })),
    payload.map((bytes) => ({ type: 'close' as const, payload: bytes, wire: clientFrame(0x8, bytes) })),
    fc
      .tuple(fc.uint8Array({ maxLength: 300 }), fc.boolean(), fc.constantFrom(0x0, 0x1, 0x2))
      .map(([bytes, fin, opcode]) => ({ type: 'message' as const, payload: new Uint8Array(), wire: clientFrame(opcode, bytes, { fin }) })),
  );
  fc.assert(
    fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (frames, sizes) => {
      const wire = Buffer.concat(frames.map((each) => each.wire));
      const reader = frameReader();
      const found = [];
      for (let from = 0, at = 0; from < wire.length; at++) {
        const size = sizes[at % sizes.length] ?? 1;
        found.push(...reader.read(wire.subarray(from, from + size)));
        from += size;
      }
      assert.deepEqual(
        found.map(({ type, payload }) => ({ type, payload: [...payload] })),
        frames.map(({ type, payload }) => ({ type, payload: [...payload] })),
      );
    }),
  );
});

test('4.7 what no client may send is refused', () => {
  const wrong = [
    [0x81, 0x05, 1, 2, 3, 4, 5], // not masked
    [0xc1, 0x80, 1, 2, 3, 4], // an extension
    [0x09, 0x80, 1, 2, 3, 4], // a ping in pieces
    [0x89, 0xfe, 0, 126, 1, 2, 3, 4], // a long ping
    [0x8b, 0x80, 1, 2, 3, 4], // a control frame nobody knows
  ];
  for (const bytes of wrong) assert.throws(() => frameReader().read(Uint8Array.from(bytes)), Error);
});
