import type { RequestOptions } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { compareVersions, parseVersion } from '../versions/semantic-version.ts';
import { parseRange } from '../versions/version-range.ts';
import type { FileSource } from './file-source.ts';

const placeholder = '{{.version}}';

/** Most files that are looked through for a version. */
const listLimit = 100_000;

/**
 * The path of the newest version that a source has: `pattern` has `{{.version}}` where the version stands, the same one each
 * time. Only what begins with what stands before it is listed.
 *
 * @throws TransferError `NotFound` when no version is in the range; `InvalidReference` when the source cannot list
 */
export async function choosePath(
  source: FileSource,
  pattern: string,
  range: string,
  options: RequestOptions = {},
): Promise<{ readonly path: string; readonly version: string }> {
  const { list } = source;
  if (list === undefined)
    throw new TransferError('InvalidReference', `${source.name} cannot list its files, so that the newest version is not known`, {
      hint: 'Write the version into spec.path, and leave spec.version out.',
    });
  const wanted = parseRange(range);
  const parts = pattern.split(placeholder);
  const [before = ''] = parts;
  let newest: { readonly path: string; readonly version: string } | undefined;
  let newestVersion: ReturnType<typeof parseVersion>;
  for await (const path of list.call(source, before, { ...options, limit: listLimit })) {
    const version = versionIn(path, parts);
    const semantic = version === undefined ? undefined : parseVersion(version);
    if (version === undefined || semantic === undefined || !wanted.includes(semantic)) continue;
    if (newestVersion !== undefined && compareVersions(semantic, newestVersion) <= 0) continue;
    newest = { path, version };
    newestVersion = semantic;
  }
  if (newest !== undefined) return newest;
  throw new TransferError('NotFound', `${source.name} has no version ${JSON.stringify(range)} of ${pattern}`, {
    hint: 'Check spec.path and spec.version.',
  });
}

/** What stands for the placeholder between `parts` of a path, the same in all places. */
function versionIn(path: string, parts: readonly string[]): string | undefined {
  const gaps = parts.length - 1;
  const length = (path.length - parts.reduce((sum, part) => sum + part.length, 0)) / gaps;
  if (!Number.isInteger(length) || length < 1) return undefined;
  const start = parts[0]?.length ?? 0;
  const version = path.slice(start, start + length);
  return parts.join(version) === path ? version : undefined;
}
