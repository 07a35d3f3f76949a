import { union } from './field-set.ts';
import { managerId } from './managers.ts';
import type { Manager, Managers } from './managers.ts';

/** How many managers that update may be remembered one by one. */
const maxUpdateManagers = 10;
const bucketName = 'ancient-changes';

/** Merges the oldest managers that update into `ancient-changes`, one for each version, until few enough remain (wire contract 3.4). */
export function capManagers(managers: Managers, max = maxUpdateManagers): Managers {
  const updaters = [...managers.values()].filter(({ operation }) => operation === 'Update').sort(byAge);
  if (updaters.length <= max) return managers;
  const capped = new Map(managers);
  const firstOf = new Map<string, Manager>();
  let count = updaters.length;
  for (const updater of updaters) {
    if (count <= max) break;
    const { apiVersion } = updater;
    const first = firstOf.get(apiVersion);
    if (first === undefined) {
      firstOf.set(apiVersion, updater);
      continue;
    }
    const bucket: Manager = {
      manager: bucketName,
      operation: 'Update',
      apiVersion,
      subresource: '',
      // The younger of the two: the bucket has changed since.
      time: updater.time,
      set: union(first.set, updater.set),
    };
    capped.delete(managerId(first));
    capped.delete(managerId(updater));
    const present = capped.get(managerId(bucket));
    capped.set(managerId(bucket), present === undefined ? bucket : { ...bucket, set: union(present.set, bucket.set) });
    firstOf.set(apiVersion, bucket);
    count--;
  }
  return capped;
}

function byAge(a: Manager, b: Manager): number {
  const left = `${a.time ?? ''} ${managerId(a)}`;
  const right = `${b.time ?? ''} ${managerId(b)}`;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
