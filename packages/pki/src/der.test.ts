import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { objectIdentifier, octetString, readElements, sequence, time, unsignedInteger } from './der.ts';
import { addressOctets } from './subject.ts';

test('what is written is read back, whatever its length', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }), (contents) => {
      const [outer] = readElements(sequence(...contents.map(octetString)));
      assert.ok(outer !== undefined);
      assert.deepEqual(
        readElements(outer.content).map((element) => [...element.content]),
        contents.map((content) => [...content]),
      );
    }),
  );
});

test('integers are minimal and never negative', () => {
  for (const [magnitude, encoded] of [
    [[0], '020100'],
    [[0x7f], '02017f'],
    [[0x80], '02020080'],
    [[0, 0, 1], '020101'],
    [[0, 0xff], '020200ff'],
  ] as const) {
    assert.equal(unsignedInteger(Buffer.from(magnitude)).toString('hex'), encoded);
  }
});

test('object identifiers use base 128 (the example of X.690)', () => {
  assert.equal(objectIdentifier('1.2.840.113549').toString('hex'), '06062a864886f70d');
});

test('times change their form in 2050', () => {
  assert.equal(time(Date.parse('2049-12-31T23:59:59Z')).toString('latin1').slice(2), '491231235959Z');
  assert.equal(time(Date.parse('2050-01-01T00:00:00Z')).toString('latin1').slice(2), '20500101000000Z');
});

test('addresses become their octets in every spelling', () => {
  for (const [text, hex] of [
    ['127.0.0.1', '7f000001'],
    ['::', '00000000000000000000000000000000'],
    ['::1', '00000000000000000000000000000001'],
    ['1::', '00010000000000000000000000000000'],
    ['2001:db8::ff00:42:8329', '20010db8000000000000ff0000428329'],
    ['::ffff:10.1.2.3', '00000000000000000000ffff0a010203'],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
  ] as const) {
    assert.equal(addressOctets(text).toString('hex'), hex, text);
  }
});

test('bytes cut short are refused', () => {
  const whole = sequence(octetString(Buffer.alloc(200)));
  for (const length of [1, 2, 50, whole.length - 1]) {
    assert.throws(() => readElements(whole.subarray(0, length)), { code: 'InvalidCertificate' });
  }
  assert.throws(() => readElements(Buffer.from([0x30, 0x80, 0, 0])), { code: 'InvalidCertificate' });
});
