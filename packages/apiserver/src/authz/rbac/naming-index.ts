import type { UserInfo } from '../../authn/user.ts';
import type { Binding, Naming } from './policy.ts';
import { keyOfSubject, keysOfUser, type SubjectKey } from './subject.ts';

interface Place extends Naming {
  /** Position of the binding among those indexed, and of the subject in it. */
  readonly at: number;
  readonly order: number;
}

/** Some bindings by whom they name: asking costs by what names the user, not by how many bindings there are. */
export class NamingIndex {
  readonly #places = new Map<SubjectKey, Place[]>();

  constructor(bindings: readonly Binding[]) {
    for (const [at, binding] of bindings.entries()) {
      for (const [order, subject] of binding.subjects.entries()) {
        const key = keyOfSubject(subject, binding.namespace);
        if (key === undefined) continue;
        const places = this.#places.get(key);
        if (places === undefined) this.#places.set(key, [{ at, order, binding, subject }]);
        else places.push({ at, order, binding, subject });
      }
    }
  }

  /** The bindings from position `from` to `to`, exclusive, that name the user, in order, each with the first subject that does. */
  find(user: Pick<UserInfo, 'name' | 'groups'>, { from, to }: { readonly from: number; readonly to: number }): readonly Naming[] {
    const found = keysOfUser(user).flatMap((key) => this.#places.get(key)?.filter(({ at }) => at >= from && at < to) ?? []);
    if (found.length < 2) return found;
    return found.toSorted((a, b) => a.at - b.at || a.order - b.order).filter((place, index, all) => place.at !== all[index - 1]?.at);
  }
}
