import type { Condition } from '@arc/apimachinery';

export type ConditionState = Omit<Condition, 'lastTransitionTime'>;

/** Brings conditions up to date: the time of the last transition is kept while the status of a condition stays the same. */
export function updatedConditions(before: readonly Condition[], states: readonly ConditionState[], now: string): Condition[] {
  const wanted = new Set(states.map(({ type }) => type));
  return [
    ...before.filter(({ type }) => !wanted.has(type)),
    ...states.map((state) => {
      const old = before.find(({ type }) => type === state.type);
      return { ...state, lastTransitionTime: old?.status === state.status ? old.lastTransitionTime : now };
    }),
  ];
}

/** RFC 3339 in UTC with whole seconds. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}
