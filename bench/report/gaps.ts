import { show } from '../statistics/summary.ts';
import type { JudgedBudget } from './budgets.ts';

/** Why a budget is missed, by its path: what profiles have shown. */
const reasons: ReadonlyMap<string, string> = new Map();

/** How far a missed budget is missed, and why. */
export function gapText({ path, value = Number.NaN, budget, unit, better }: JudgedBudget): string {
  const times = better === 'lower' ? value / budget : budget / value;
  const reason = reasons.get(path);
  return `${show(value, unit)} for ${show(budget, unit)}, ${times.toFixed(2)} times off${reason === undefined ? '.' : `. ${reason}`}`;
}
