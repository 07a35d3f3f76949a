import type { StoreKey } from './store.ts';

/** Orders keys by their UTF-8 bytes as whole strings (`a-b/x` before `a/x`); negative, zero or positive. */
export function compareKeys(a: StoreKey, b: StoreKey): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x >= 0xd800 && y >= 0xd800 ? utf8Rank(x) - utf8Rank(y) : x - y;
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above U+FFFF, yet as UTF-16 units they sort below U+E000 to U+FFFF. */
function utf8Rank(unit: number): number {
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** The smallest string greater than every key that starts with `prefix`; undefined when there is no such bound. */
export function prefixEnd(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
  }
  return undefined;
}

/** The smallest key greater than `key`. */
export function keyAfter(key: StoreKey): StoreKey {
  return `${key}\0`;
}

/** The first key of a range: everything with `prefix`, beginning after `after`. */
export function rangeStart(prefix: string, after: StoreKey | undefined): StoreKey {
  return after === undefined || compareKeys(after, prefix) < 0 ? prefix : keyAfter(after);
}
