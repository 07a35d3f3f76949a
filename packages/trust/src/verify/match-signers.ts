/**
 * How many authorities have a signer of their own. `signers[i]` are those who satisfy authority `i`. One signer counts for one
 * authority only, so that two patterns that fit the same person are not two people.
 */
export function countSatisfied(signers: readonly ReadonlySet<string>[]): number {
  const chosen = new Map<string, number>();
  const assign = (authority: number, tried: Set<string>): boolean => {
    for (const signer of signers[authority] ?? []) {
      if (tried.has(signer)) continue;
      tried.add(signer);
      const holder = chosen.get(signer);
      if (holder !== undefined && !assign(holder, tried)) continue;
      chosen.set(signer, authority);
      return true;
    }
    return false;
  };
  return signers.filter((_, authority) => assign(authority, new Set())).length;
}
