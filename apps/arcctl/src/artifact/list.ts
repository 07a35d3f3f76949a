import { createTablePrinter, UsageError } from '@arc/cli-kit';
import { listVersions, parseEndpointURL, parseRange } from '@arc/transfer';
import type { EndpointLocation, ListedVersion, ReadableRepository } from '@arc/transfer';
import { hasFlag, textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { isPath } from './artifact-reference.ts';
import { Registries } from './registries.ts';

/** Digests asked for at a time. */
const parallel = 8;

/** `arcctl artifact list REF`: needs no server, only the registry or layout. */
export async function listArtifact(invocation: Invocation): Promise<void> {
  const [reference = ''] = invocation.args;
  const location = repositoryOf(reference);
  const range = textOption(invocation, 'versions');
  const match = textOption(invocation, 'match');
  const limit = textOption(invocation, 'limit');
  if (limit !== undefined && !/^[1-9]\d{0,6}$/.test(limit)) throw new UsageError(`--limit takes a number, not ${JSON.stringify(limit)}`);
  const { signal } = invocation;
  using registries = await Registries.of(invocation);
  const repository = await registries.source(location, '');
  const versions = await listVersions(repository, {
    signal,
    ...(range === undefined ? {} : { range: parseRange(range) }),
    ...(match === undefined ? {} : { match }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...(hasFlag(invocation, 'prereleases') ? { includePrereleases: true } : {}),
  });
  const digests = hasFlag(invocation, 'digests') ? await resolveAll(repository, versions, signal) : undefined;
  print(invocation, versions, digests);
}

function repositoryOf(reference: string): EndpointLocation {
  const withoutScheme = reference.replace(/^[a-z]+:\/\//, '');
  const [host = '', ...path] = withoutScheme.split('/');
  const isLayout = isPath.test(reference);
  if (!isLayout && (path.length === 0 || !/[.:]|^localhost$/.test(host))) {
    throw new UsageError(`${JSON.stringify(reference)} names no registry`, { hint: 'Write it in full: registry.example.org/team/app.' });
  }
  if (!isLayout && /[:@]/.test(path.at(-1) ?? '')) {
    throw new UsageError(`${JSON.stringify(reference)} names one version`, {
      hint: 'Leave the tag or digest out: what there is gets listed.',
    });
  }
  return parseEndpointURL(reference);
}

/** One HEAD a tag. */
async function resolveAll(
  repository: ReadableRepository,
  versions: readonly ListedVersion[],
  signal: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  const queue = versions.values();
  const lane = async (): Promise<void> => {
    for (const { tag } of queue) {
      const found = await repository.resolve(tag, { signal });
      if (found !== undefined) digests.set(tag, found.digest);
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
  return digests;
}

function print(invocation: Invocation, versions: readonly ListedVersion[], digests: ReadonlyMap<string, string> | undefined): void {
  const { stdout, stderr } = invocation.streams;
  const format = textOption(invocation, 'output');
  if (format === 'json') {
    const items = versions.map(({ tag, version }) => ({
      tag,
      ...(version === undefined ? {} : { version: version.text }),
      ...(digests?.has(tag) === true ? { digest: digests.get(tag) } : {}),
    }));
    stdout.write(`${JSON.stringify(items, null, 2)}\n`);
  } else if (format === 'name') {
    for (const { tag } of versions) stdout.write(`${tag}\n`);
  } else if (versions.length === 0) {
    stderr.write('No versions found.\n');
  } else {
    const columns = [{ name: 'Tag' }, { name: 'Version' }, ...(digests === undefined ? [] : [{ name: 'Digest' }])];
    const rows = versions.map(({ tag, version }) => [
      tag,
      version?.text ?? '-',
      ...(digests === undefined ? [] : [digests.get(tag) ?? '-']),
    ]);
    createTablePrinter(stdout, columns).print(rows);
  }
}
