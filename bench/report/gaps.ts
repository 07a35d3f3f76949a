import { show } from '../statistics/summary.ts';
import type { JudgedBudget } from './budgets.ts';

/** Why a budget is missed, by its path: what profiles have shown. */
const reasons: ReadonlyMap<string, string> = new Map([
  [
    'memory of a watcher',
    'A TLS connection with a client certificate and an HTTP/1.1 exchange on it take 75 to 83 KB in a server of Node that does nothing ' +
      'else, most of it outside the JavaScript heap; about 16 KB of heap are of the API server. Watchers that share an HTTP/2 ' +
      'connection, as those of client-go do, do not each pay for one.',
  ],
]);

/** How far a missed budget is missed, and why. */
export function gapText({ path, value = Number.NaN, budget, unit, better }: JudgedBudget): string {
  const times = better === 'lower' ? value / budget : budget / value;
  const reason = reasons.get(path);
  return `${show(value, unit)} for ${show(budget, unit)}, ${times.toFixed(2)} times off${reason === undefined ? '.' : `. ${reason}`}`;
}
