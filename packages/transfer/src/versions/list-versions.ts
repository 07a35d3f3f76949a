import type { RequestOptions, TagLister } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { globMatcher } from './glob.ts';
import { compareVersions, parseVersion, type SemanticVersion } from './semantic-version.ts';
import type { VersionRange } from './version-range.ts';

export interface ListVersionsOptions extends RequestOptions {
  /** Only tags that are versions in this range. */
  readonly range?: VersionRange;
  /** Only tags that match this pattern (`*` and `?`). */
  readonly match?: string;
  readonly includePrereleases?: boolean;
  /** At most this many, the newest. */
  readonly limit?: number;
}

export interface ListedVersion {
  readonly tag: string;
  /** Undefined for tags that are no versions, such as `latest`. */
  readonly version: SemanticVersion | undefined;
}

const tagLimit = 100_000;

/**
 * The tags of a repository that are versions, the newest first; after them the other tags by name, unless a range is
 * given. Tags made of digests (signatures, fallback referrers) are left out. One request per page of the listing.
 *
 * @throws TransferError `TooLarge` beyond 100,000 tags
 */
export async function listVersions(repository: TagLister, options: ListVersionsOptions = {}): Promise<ListedVersion[]> {
  const { range, match, includePrereleases, limit } = options;
  const matches = match === undefined ? undefined : globMatcher(match);
  const found = new Map<string, ListedVersion>();
  let seen = 0;
  for await (const tag of repository.listTags({ signal: options.signal })) {
    seen += 1;
    if (seen > tagLimit) throw new TransferError('TooLarge', `the repository has more than ${tagLimit} tags`);
    if (/^sha(?:256|512)-[0-9a-f]{64}/.test(tag) || matches?.(tag) === false) continue;
    // A tag cannot hold the "+" of build metadata; Helm writes it as "_".
    const version = parseVersion(tag.replace('_', '+'));
    const wanted =
      range === undefined || (version !== undefined && range.includes(version, includePrereleases === true ? { includePrereleases } : {}));
    if (wanted) found.set(tag, { tag, version });
  }
  const sorted = [...found.values()].sort(newestFirst);
  return limit === undefined ? sorted : sorted.slice(0, limit);
}

function newestFirst(a: ListedVersion, b: ListedVersion): number {
  if (a.version !== undefined && b.version !== undefined) return compareVersions(b.version, a.version) || byName(a, b);
  if (a.version === undefined && b.version === undefined) return byName(a, b);
  return a.version === undefined ? 1 : -1;
}

function byName(a: ListedVersion, b: ListedVersion): number {
  return a.tag < b.tag ? -1 : a.tag > b.tag ? 1 : 0;
}
