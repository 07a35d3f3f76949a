import type { FuzzDraft } from './fuzz-request.ts';
import type { Random } from './random.ts';

/** A request as bytes over HTTP/1.1 that break a rule of it, or stop in the middle. */
export function malformedBytes({ method, path, headers, body }: FuzzDraft, random: Random): Uint8Array {
  const content = Buffer.from(body ?? '');
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  const message = (first: string, more: readonly string[], payload: Uint8Array | string): Buffer =>
    Buffer.concat([Buffer.from(`${[first, 'host: x', ...lines, ...more].join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(payload)]);
  const first = `${method} ${encodeURI(path)} HTTP/1.1`;
  const length = `content-length: ${content.length}`;
  const chunk = `${content.length.toString(16)}\r\n${content.toString('latin1')}\r\n`;
  const whole = message(first, [length], content);
  const shapes: readonly (() => Buffer)[] = [
    () => message(first, [`content-length: ${content.length + 10}`], content),
    () => message(first, ['content-length: -1'], content),
    () => message(first, ['content-length: 1, 2'], content),
    () => message(first, [length, 'content-length: 3'], content),
    () => message(first, [length, 'transfer-encoding: chunked'], chunk),
    () => message(first, ['transfer-encoding: chunked'], `${chunk}0\r\n\r\n`),
    () => message(first, ['transfer-encoding: chunked'], `${chunk}zz\r\nx\r\n0\r\n\r\n`),
    () => message(first, ['transfer-encoding: chunked'], 'ffffffffffffffff\r\nx'),
    () => message(first, ['transfer-encoding: gzip, chunked'], `${chunk}0\r\n\r\n`),
    () => message(first, [length, 'content-encoding: gzip'], content),
    () => message(first, [length, 'expect: 100-continue'], content),
    () => message(first, [length, 'expect: nonsense'], content),
    () =>
      message(first, [length, 'connection: upgrade', 'upgrade: websocket', 'sec-websocket-key: x', 'sec-websocket-version: 13'], content),
    () => message(first, [length, 'connection: upgrade', 'upgrade: h2c', 'http2-settings: AAAA'], content),
    () => message(first, [length, 'no colon here'], content),
    () => message(first, [length, ' folded: header'], content),
    () => message(first, [length, `x: ${'y'.repeat(20_000)}`], content),
    () => message(first, [length, ...Array.from({ length: 300 }, (_, at) => `x-${at}: 1`)], content),
    () => message(first, [length, 'x: \0'], content),
    () => message(`${method}  ${path} HTTP/1.1`, [length], content),
    () => message(`${method} ${path} HTTP/9.9`, [length], content),
    () => message(`${method} http://other.example${path} HTTP/1.1`, [length], content),
    () => message(`${method} * HTTP/1.1`, [length], content),
    () => message(first.replace('HTTP/1.1', 'HTTP/1.0'), [length], content),
    () => Buffer.concat([whole, whole, whole]),
    () => Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0'),
    () => whole.subarray(0, Math.floor(random.next() * whole.length)),
    () => Buffer.from(Array.from({ length: 64 }, () => Math.floor(random.next() * 256))),
  ];
  return random.pick(shapes)();
}
