import type { FieldType } from './descriptor.ts';
import { int, message } from './descriptor.ts';
import { malformedProtobuf } from './wire-reader.ts';

const timestamp = message({ 1: ['seconds', int], 2: ['nanos', int] });

/** `metav1.Time`: RFC 3339 in UTC with whole seconds. The zero time is an empty message and is left out. */
export const time: FieldType = timeType((instant) => `${instant.slice(0, 19)}Z`);

/** `metav1.MicroTime`: RFC 3339 in UTC with microseconds. */
export const microTime: FieldType = timeType(
  (instant, nanos) => `${instant.slice(0, 19)}.${String(Math.trunc(nanos / 1000)).padStart(6, '0')}Z`,
);

function timeType(print: (instant: string, nanos: number) => string): FieldType {
  return {
    read(value) {
      if (typeof value === 'bigint') throw malformedProtobuf('a number where a time is expected');
      if (value.length === 0) return undefined;
      const { seconds = 0, nanos = 0 } = timestamp.decode(value);
      const date = new Date(Number(seconds) * 1000);
      if (Number.isNaN(date.getTime()) || date.getUTCFullYear() > 9999 || date.getUTCFullYear() < 0) {
        throw malformedProtobuf(`the time ${String(seconds)} is out of range`);
      }
      return print(date.toISOString(), Number(nanos));
    },
  };
}
