import { ArcError } from '../errors.ts';

/** How far the clocks of a place are ahead of UTC. */
export interface TimeZone {
  /** `UTC`, or a name of the IANA database. */
  readonly name: string;
  /** Milliseconds to add to UTC to get the time on the wall at this moment (milliseconds since the epoch). */
  offsetAt(ms: number): number;
}

/** By name, which may be written in many ways; making a formatter costs as much as using it a hundred times. */
const known = new Map<string, TimeZone>();
const maxKnown = 500;

/**
 * The zone of a name, as Go's `time.LoadLocation` reads it: empty means UTC, `Local` the zone of this machine. The rules are
 * those Node brings along.
 *
 * @throws ArcError `InvalidTimeZone`
 */
export function timeZone(name: string): TimeZone {
  const found = known.get(name);
  if (found !== undefined) return found;
  const zone = makeZone(name === 'Local' ? localZoneName() : name);
  if (known.size >= maxKnown) known.clear();
  known.set(name, zone);
  return zone;
}

function localZoneName(): string {
  return new Intl.DateTimeFormat('en').resolvedOptions().timeZone;
}

function makeZone(name: string): TimeZone {
  if (name === '' || name === 'UTC') return { name: 'UTC', offsetAt: () => 0 };
  let format: Intl.DateTimeFormat;
  try {
    if (/^[+-]/.test(name)) throw new RangeError('an offset is not a zone');
    format = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    throw new ArcError('InvalidTimeZone', `unknown time zone ${JSON.stringify(name)}`, {
      hint: 'Use a name of the IANA database, such as Europe/Berlin.',
      cause: error,
    });
  }
  return {
    name,
    offsetAt(ms) {
      const parts = new Map(format.formatToParts(ms).map(({ type, value }) => [type, Number(value)]));
      const part = (type: Intl.DateTimeFormatPartTypes): number => parts.get(type) ?? 0;
      const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
      return wall - Math.floor(ms / 1000) * 1000;
    },
  };
}
