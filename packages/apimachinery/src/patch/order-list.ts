import { getOwn, isObject } from '../json/object.ts';
import { stringifyJson } from '../json/stringify.ts';

/**
 * Puts a merged list into the order `$setElementOrder` asks for. Items it does not name (the server's own) keep their
 * order among themselves, and stand before the first named item that followed them in the list as it was before.
 */
export function orderList(
  list: readonly unknown[],
  {
    wanted,
    before,
    mergeKey,
  }: { readonly wanted: readonly unknown[]; readonly before: readonly unknown[]; readonly mergeKey: string | undefined },
): unknown[] {
  const identityOf = (item: unknown): string =>
    stringifyJson(mergeKey !== undefined && isObject(item) ? getOwn(item, mergeKey) : item) ?? '';
  const wantedAt = positions(wanted.map(identityOf));
  const beforeAt = positions(before.map(identityOf));
  const by = (at: ReadonlyMap<string, number>) => (a: unknown, b: unknown) =>
    (at.get(identityOf(a)) ?? at.size) - (at.get(identityOf(b)) ?? at.size);

  const named = list.filter((item) => wantedAt.has(identityOf(item))).sort(by(wantedAt));
  const others = list.filter((item) => !wantedAt.has(identityOf(item))).sort(by(beforeAt));

  const result = [...named];
  let from = 0;
  for (const item of others) {
    const place = beforeAt.get(identityOf(item));
    const next = result.findIndex(
      (other, index) => index >= from && place !== undefined && (beforeAt.get(identityOf(other)) ?? -1) > place,
    );
    const at = next < 0 ? result.length : next;
    result.splice(at, 0, item);
    from = at + 1;
  }
  return result;
}

function positions(identities: readonly string[]): Map<string, number> {
  return new Map(identities.map((identity, index) => [identity, index]));
}
