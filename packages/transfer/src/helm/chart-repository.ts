import { type Digest, digestOf } from '../digest/digest.ts';
import type { RequestOptions } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import { compareVersions, parseVersion, type SemanticVersion } from '../versions/semantic-version.ts';
import { parseRange } from '../versions/version-range.ts';
import { chartLimit, type ChartDescription, parseChartVersion, readChart } from './chart-archive.ts';
import { indexLimit, type IndexEntry, readIndexEntries } from './index-file.ts';
import type { RepositoryFiles } from './repository-files.ts';

export const provenanceLimit = 1024 * 1024;

/** A chart as a repository publishes it, every byte as it is. */
export interface PublishedChart extends ChartDescription {
  /** Where it came from, for messages and receipts; without a query. */
  readonly location: string;
  readonly archive: Buffer;
  readonly digest: Digest;
  /** What index.yaml said it would be; undefined when it did not. */
  readonly listedDigest: Digest | undefined;
  /** The provenance file, which names the archive's digest; its signature has not been looked at. */
  readonly provenance: Buffer | undefined;
}

/** A classic chart repository: an index.yaml, and the charts that it names. */
export class ChartRepository {
  readonly #files: RepositoryFiles;

  constructor(files: RepositoryFiles) {
    this.#files = files;
  }

  get name(): string {
    return this.#files.name;
  }

  /** The versions of a chart, the newest first. @throws TransferError `NotFound` when the repository does not list it */
  async versions(chart: string, options: RequestOptions = {}): Promise<readonly (IndexEntry & { readonly semantic: SemanticVersion })[]> {
    const index = this.#files.open('index.yaml', { what: 'its index', maxBytes: indexLimit });
    const text = (await index.readAll(indexLimit, options)).toString('utf8');
    const entries = readIndexEntries(text, chart, index.name);
    if (entries === undefined) {
      throw new TransferError('NotFound', `${this.name} has no chart ${JSON.stringify(chart)}`, {
        hint: 'Check spec.chart, and remoteURL of the endpoint.',
      });
    }
    return entries
      .flatMap((entry) => {
        const semantic = parseVersion(entry.version);
        return semantic === undefined ? [] : [{ ...entry, semantic }];
      })
      .sort((a, b) => compareVersions(b.semantic, a.semantic));
  }

  /**
   * Fetches the version of a chart that `wanted` names: that version exactly, else the newest in the range.
   *
   * @throws TransferError `NotFound`; `DigestMismatch` when the archive is not what the index or the provenance file say;
   * `InvalidManifest` when it is another chart or unsafe
   */
  async fetch(chart: string, wanted: string, options: RequestOptions & { readonly provenance?: boolean } = {}): Promise<PublishedChart> {
    const entry = choose(await this.versions(chart, options), chart, wanted);
    const [address] = entry.urls;
    if (address === undefined) throw new TransferError('InvalidManifest', `${this.name} lists ${chart} ${entry.version} without a URL`);
    if (address.startsWith('oci://')) {
      throw new TransferError(
        'InvalidManifest',
        `${this.name} says that ${chart} ${entry.version} is in a registry, at ${JSON.stringify(address.slice(0, 300))}`,
        {
          hint: 'Order it from an endpoint of type oci for that registry.',
        },
      );
    }
    const what = `the URL of chart ${chart}`;
    const file = this.#files.open(address, { what, maxBytes: chartLimit });
    const archive = await file.readAll(chartLimit, options);
    const digest = digestOf(archive);
    if (entry.digest !== undefined && entry.digest !== digest) throw mismatch(file.name, 'index.yaml', entry.digest, digest);
    const description = await readChart(archive, file.name);
    if (description.name !== chart || description.version !== entry.version) {
      throw new TransferError(
        'InvalidManifest',
        `${file.name} is chart ${description.name} ${description.version}, not ${chart} ${entry.version} as index.yaml says`,
      );
    }
    const provenance = options.provenance === false ? undefined : await this.#provenance(address, what, options);
    if (provenance !== undefined) requireNamed(provenance, description, digest, file.name);
    return { ...description, location: file.name, archive, digest, listedDigest: entry.digest, provenance };
  }

  async #provenance(address: string, what: string, options: RequestOptions): Promise<Buffer | undefined> {
    const file = this.#files.open(address, { what, suffix: '.prov', maxBytes: provenanceLimit });
    const content = await file.readIfThere(provenanceLimit, options);
    // Some servers answer every path with a web page.
    return content?.includes('-----BEGIN PGP SIGNED MESSAGE-----') === true ? content : undefined;
  }
}

function choose<T extends IndexEntry & { readonly semantic: SemanticVersion }>(versions: readonly T[], chart: string, wanted: string): T {
  const exact = versions.find(({ version }) => version === wanted || version === `v${wanted}`);
  const range = exact === undefined ? parseRange(wanted) : undefined;
  const found = exact ?? versions.find(({ semantic }) => range?.includes(semantic) === true);
  if (found === undefined) {
    const newest = versions.slice(0, 5).map(({ version }) => version);
    throw new TransferError('NotFound', `there is no version ${JSON.stringify(wanted)} of chart ${chart}`, {
      hint: newest.length === 0 ? 'The repository lists no version of it.' : `The newest are ${newest.join(', ')}.`,
    });
  }
  parseChartVersion(found.version, `chart ${chart}`);
  return found;
}

/** A provenance file that is about other bytes is worse than none. */
export function requireNamed(provenance: Buffer, chart: ChartDescription, digest: Digest, what: string): void {
  const file = `${chart.name}-${chart.version}.tgz`;
  const named = provenance
    .toString('utf8')
    .split(/\r?\n/)
    .map((line) => /^\s*(\S+):\s*(sha256:[0-9a-f]{64})\s*$/.exec(line))
    .find((match) => match?.[1] === file)?.[2];
  if (named === digest) return;
  if (named === undefined) throw new TransferError('InvalidManifest', `the provenance file of ${what} does not name ${file}`);
  throw mismatch(what, 'its provenance file', named, digest);
}

function mismatch(what: string, who: string, expected: string, actual: Digest): TransferError {
  return new TransferError('DigestMismatch', `${what} has wrong content: ${who} says ${expected}, received ${actual}`, {
    hint: 'The repository serves damaged or substituted content, or its index is out of date; nothing was taken over.',
  });
}
