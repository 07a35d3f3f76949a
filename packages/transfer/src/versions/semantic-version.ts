/** A version after Semantic Versioning 2.0.0. Build metadata is kept in `text` and counts for nothing. */
export interface SemanticVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Identifiers of the pre-release, numbers where they are numeric; empty for a release. */
  readonly prerelease: readonly (string | number)[];
}

const number = '(0|[1-9]\\d{0,14})';
const pattern = new RegExp(
  `^v?${number}\\.${number}\\.${number}(?:-((?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*)(?:\\.(?:0|[1-9]\\d*|\\d*[A-Za-z-][0-9A-Za-z-]*))*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?$`,
);

/** Reads a version, with or without a leading `v`; undefined when it is none. */
export function parseVersion(text: string): SemanticVersion | undefined {
  if (text.length > 256) return undefined;
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease] = match;
  return {
    text,
    major: Number(major),
    minor: Number(minor),
    patch: Number(patch),
    prerelease: parsePrerelease(prerelease),
  };
}

/** The precedence of two versions (Semantic Versioning 2.0.0, rule 11): negative when `a` comes first. */
export function compareVersions(a: SemanticVersion, b: SemanticVersion): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePrereleases(a.prerelease, b.prerelease);
}

export function parsePrerelease(text: string | undefined): (string | number)[] {
  return text === undefined ? [] : text.split('.').map((part) => (/^\d{1,15}$/.test(part) ? Number(part) : part));
}

function comparePrereleases(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  if (a.length === 0 || b.length === 0) return Number(a.length === 0) - Number(b.length === 0);
  for (let index = 0; index < Math.min(a.length, b.length); index += 1) {
    const order = compareIdentifiers(a[index] ?? 0, b[index] ?? 0);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
