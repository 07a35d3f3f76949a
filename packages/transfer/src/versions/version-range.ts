import { TransferError } from '../transfer-error.ts';
import { compareVersions, parsePrerelease, type SemanticVersion } from './semantic-version.ts';

type Operator = '<' | '<=' | '>' | '>=' | '=';

interface Comparator {
  readonly operator: Operator;
  readonly version: SemanticVersion;
}

/** Which versions somebody wants. */
export interface VersionRange {
  readonly text: string;
  /** Pre-releases only count where the range names one of the same major, minor and patch, or `includePrereleases` is set. */
  includes(version: SemanticVersion, options?: { readonly includePrereleases?: boolean }): boolean;
}

/** A version of which the last parts may be missing or `x`. */
interface PartialVersion {
  readonly parts: readonly number[];
  readonly prerelease: readonly (string | number)[];
}

const partialPattern =
  /^v?(x|\*|\d{1,15})(?:\.(x|\*|\d{1,15}))?(?:\.(x|\*|\d{1,15}))?(?:-([0-9a-z-]+(?:\.[0-9a-z-]+)*))?(?:\+[0-9a-z.-]+)?$/i;

/**
 * Reads a range as npm and Helm write them: comparators joined by spaces or commas, alternatives by `||`; `>=1.2 <2`,
 * `^1.2`, `~1.2.3`, `1.x`, `1.2 - 2.3`, `=1.2.3`, `*`.
 *
 * @throws TransferError `InvalidReference`
 */
export function parseRange(text: string): VersionRange {
  if (text.length > 1000) throw invalid(text, 'it is too long');
  const alternatives = text.split('||').map((part) => parseAlternative(part.trim(), text));
  return {
    text,
    includes: (version, options = {}) =>
      alternatives.some(
        (comparators) =>
          comparators.every((comparator) => satisfies(version, comparator)) &&
          (version.prerelease.length === 0 || options.includePrereleases === true || comparators.some((c) => names(c, version))),
      ),
  };
}

function parseAlternative(text: string, whole: string): Comparator[] {
  const hyphen = /^(\S+)\s+-\s+(\S+)$/.exec(text);
  if (hyphen !== null) {
    return [...desugar('>=', partial(hyphen[1] ?? '', whole)), ...desugar('<=', partial(hyphen[2] ?? '', whole))];
  }
  const words = text
    .replace(/([<>=~^]+)\s+/g, '$1')
    .split(/[\s,]+/)
    .filter((word) => word !== '');
  return words.flatMap((word) => {
    const match = /^(<=|>=|<|>|=|\^|~>?|)(.+)$/.exec(word);
    if (match === null) throw invalid(whole, `${JSON.stringify(word)} is not understood`);
    return desugar(match[1] ?? '', partial(match[2] ?? '', whole));
  });
}

function partial(text: string, whole: string): PartialVersion {
  const match = partialPattern.exec(text);
  if (match === null) throw invalid(whole, `${JSON.stringify(text)} is not a version`);
  const parts: number[] = [];
  for (const part of match.slice(1, 4)) {
    if (part === undefined || !/^\d/.test(part)) break;
    parts.push(Number(part));
  }
  return { parts, prerelease: parts.length === 3 ? parsePrerelease(match[4]) : [] };
}

function desugar(operator: string, wanted: PartialVersion): Comparator[] {
  const { parts } = wanted;
  const from = at(parts, wanted.prerelease);
  /** The first version beyond all that share the first `count` parts; its pre-releases are beyond too. */
  const beyond = (count: number): SemanticVersion => at([...parts.slice(0, count - 1), (parts[count - 1] ?? 0) + 1], [0]);
  const whole = parts.length === 3;
  switch (operator) {
    case '>=':
      return [{ operator: '>=', version: from }];
    case '<':
      return [{ operator: '<', version: whole ? from : at(parts, [0]) }];
    case '>':
      if (parts.length === 0) return [{ operator: '<', version: at([], [0]) }];
      return [whole ? { operator: '>', version: from } : { operator: '>=', version: at(beyondParts(parts), []) }];
    case '<=':
      if (parts.length === 0) return [];
      return [whole ? { operator: '<=', version: from } : { operator: '<', version: beyond(parts.length) }];
    case '^': {
      if (parts.length === 0) return [];
      const leading = parts.findIndex((part) => part > 0);
      const count = leading === -1 ? parts.length : leading + 1;
      return [
        { operator: '>=', version: from },
        { operator: '<', version: beyond(count) },
      ];
    }
    case '~':
    case '~>':
      if (parts.length === 0) return [];
      return [
        { operator: '>=', version: from },
        { operator: '<', version: beyond(Math.min(parts.length, 2)) },
      ];
    default:
      if (parts.length === 0) return [];
      if (whole) return [{ operator: '=', version: from }];
      return [
        { operator: '>=', version: from },
        { operator: '<', version: beyond(parts.length) },
      ];
  }
}

function beyondParts(parts: readonly number[]): number[] {
  return [...parts.slice(0, -1), (parts.at(-1) ?? 0) + 1];
}

function at(parts: readonly number[], prerelease: readonly (string | number)[]): SemanticVersion {
  const [major = 0, minor = 0, patch = 0] = parts;
  return { text: '', major, minor, patch, prerelease };
}

function satisfies(version: SemanticVersion, comparator: Comparator): boolean {
  const order = compareVersions(version, comparator.version);
  switch (comparator.operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '=':
      return order === 0;
  }
}

function names({ version }: Comparator, wanted: SemanticVersion): boolean {
  return (
    version.prerelease.length > 0 && version.major === wanted.major && version.minor === wanted.minor && version.patch === wanted.patch
  );
}

function invalid(text: string, problem: string): TransferError {
  return new TransferError('InvalidReference', `${JSON.stringify(text.slice(0, 200))} is not a range of versions: ${problem}`, {
    hint: 'Write for example ">=1.2 <2", "^1.2", "~1.2.3", "1.x" or "*".',
  });
}
