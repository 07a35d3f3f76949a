export interface Challenge {
  /** Lower case: `basic`, `bearer`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** Parses WWW-Authenticate (RFC 9110, 11.6.1): several challenges in one header, commas inside quotes. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const token = /\s*,?\s*([A-Za-z0-9!#$%&'*+.^_`|~-]+)(?:\s*=\s*("(?:[^"\\]|\\.)*"|[^\s,"]+))?/y;
  for (let match = token.exec(header); match !== null; match = token.exec(header)) {
    const [, name = '', value] = match;
    if (value === undefined) {
      challenges.push({ scheme: name.toLowerCase(), parameters: {} });
      continue;
    }
    const current = challenges.at(-1);
    if (current === undefined) return [];
    current.parameters[name.toLowerCase()] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value;
  }
  return challenges;
}

/** `repository:<name>:<actions>`, the access a token is asked for. */
export interface Scope {
  readonly repository: string;
  readonly actions: readonly string[];
}

export const formatScope = (scope: Scope): string => `repository:${scope.repository}:${scope.actions.join(',')}`;

/** Reads the scopes of a challenge, separated by spaces; resource types other than repository are left out. */
export function parseScopes(text: string): Scope[] {
  return text.split(' ').flatMap((part) => {
    const match = /^repository:(.+):([a-z*,]+)$/.exec(part);
    return match === null ? [] : [{ repository: match[1] ?? '', actions: (match[2] ?? '').split(',') }];
  });
}

/** The union of scopes, one entry a repository, in a canonical order. */
export function mergeScopes(...lists: readonly (readonly Scope[])[]): Scope[] {
  const actions = new Map<string, Set<string>>();
  for (const scope of lists.flat()) {
    const merged = actions.get(scope.repository) ?? new Set();
    for (const action of scope.actions) merged.add(action);
    actions.set(scope.repository, merged);
  }
  return [...actions].sort(([a], [b]) => (a < b ? -1 : 1)).map(([repository, set]) => ({ repository, actions: [...set].sort() }));
}
