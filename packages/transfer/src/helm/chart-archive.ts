import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'yaml';
import { codeOf } from '@arc/kernel';
import { TransferError } from '../transfer-error.ts';
import { tarEntries } from './tar-entries.ts';

/** Largest archive of a chart that is read, bytes. */
export const chartLimit = 64 * 1024 * 1024;

const expandedLimit = 256 * 1024 * 1024;
const ratioLimit = 200;
const entryLimit = 50_000;
const descriptionLimit = 1024 * 1024;

/** What a chart says about itself: `name` and `version` are safe to build paths and tags from. */
export interface ChartDescription {
  readonly name: string;
  readonly version: string;
  /** The fields Helm knows, as its config blob holds them. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Reads the Chart.yaml of a chart archive and looks at every entry: one top directory, no paths that lead out of it, no
 * links or devices, no more than 200 times the archive's size. Nothing is unpacked.
 *
 * @throws TransferError `InvalidManifest`, `TooLarge`
 */
export async function readChart(archive: Buffer, what: string): Promise<ChartDescription> {
  let description: Buffer | undefined;
  let top: string | undefined;
  let count = 0;
  for await (const entry of tarEntries(expanded(archive, what), what)) {
    count += 1;
    if (count > entryLimit) throw new TransferError('TooLarge', `${what} has more than ${entryLimit} entries`);
    if (entry.kind === 'other') throw invalid(what, `holds ${shown(entry.path)}, which is neither a file nor a directory`);
    const parts = safeParts(entry.path, what);
    top ??= parts[0];
    if (parts[0] !== top) throw invalid(what, `has two top directories, ${shown(top ?? '')} and ${shown(parts[0] ?? '')}`);
    if (parts.length !== 2 || parts[1] !== 'Chart.yaml' || entry.kind !== 'file') continue;
    if (description !== undefined) throw invalid(what, 'holds two files Chart.yaml');
    description = await entry.read(descriptionLimit);
  }
  if (description === undefined) throw invalid(what, 'has no Chart.yaml, so it is no Helm chart');
  return parseChartDescription(description.toString('utf8'), what);
}

/** Files of a chart archive by their path, as far as `wanted`; each at most 1 MiB, together 16. @throws TransferError */
export async function readChartFiles(
  archive: Buffer,
  what: string,
  wanted: (path: string) => boolean,
): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  let size = 0;
  for await (const entry of tarEntries(expanded(archive, what), what)) {
    const path = safeParts(entry.path, what).join('/');
    if (entry.kind !== 'file' || !wanted(path)) continue;
    size += entry.size;
    if (size > 16 * descriptionLimit) throw new TransferError('TooLarge', `${what} has too much to be looked through`);
    files.set(path, await entry.read(descriptionLimit));
  }
  return files;
}

/** Every file of a chart archive with its content, in order; all of them are checked as `readChart` does. @throws TransferError */
export async function* readEveryChartFile(
  archive: Buffer,
  what: string,
): AsyncGenerator<{ readonly path: string; readonly content: Buffer }> {
  let count = 0;
  for await (const entry of tarEntries(expanded(archive, what), what)) {
    count += 1;
    if (count > entryLimit) throw new TransferError('TooLarge', `${what} has more than ${entryLimit} entries`);
    if (entry.kind === 'other') throw invalid(what, `holds ${shown(entry.path)}, which is neither a file nor a directory`);
    const path = safeParts(entry.path, what).join('/');
    if (entry.kind === 'file') yield { path, content: await entry.read(expandedLimit) };
  }
}

/** @throws TransferError `InvalidManifest` */
export function parseChartDescription(text: string, what: string): ChartDescription {
  let document: unknown;
  try {
    // Every scalar stays the text it is: "1.10" is no number, and no version is lost.
    document = parse(text, { schema: 'failsafe', maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    throw new TransferError('InvalidManifest', `the Chart.yaml of ${what} is not valid YAML`, { cause: error });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw invalid(what, 'has a Chart.yaml that is no mapping');
  const fields = document as Readonly<Record<string, unknown>>;
  return {
    name: parseChartName(fields['name'], what),
    version: parseChartVersion(fields['version'], what),
    metadata: knownFields(fields),
  };
}

/** A chart name becomes part of paths: only letters, digits, `-`, `_` and `.`, and more than dots. @throws TransferError `InvalidManifest` */
export function parseChartName(value: unknown, what: string): string {
  if (typeof value === 'string' && value.length <= 250 && /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value) && !value.includes('..')) return value;
  throw invalid(what, `has the name ${shown(String(value))}, which is not one a chart may have`);
}

/** @throws TransferError `InvalidManifest` */
export function parseChartVersion(value: unknown, what: string): string {
  if (typeof value === 'string' && value.length <= 128 && /^v?\d+(?:\.\d+){0,2}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$/.test(value))
    return value;
  throw invalid(what, `has the version ${shown(String(value))}, which is not a semantic version`);
}

async function* expanded(archive: Buffer, what: string): AsyncGenerator<Buffer> {
  const limit = Math.min(expandedLimit, Math.max(archive.length * ratioLimit, 1024 * 1024));
  const gunzip = createGunzip();
  let size = 0;
  try {
    for await (const chunk of Readable.from([archive]).pipe(gunzip) as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > limit)
        throw new TransferError('TooLarge', `${what} expands to more than ${limit} bytes`, { hint: 'It may be a decompression bomb.' });
      yield chunk;
    }
  } catch (error) {
    if (codeOf(error)?.startsWith('Z_') !== true) throw error;
    throw new TransferError('InvalidManifest', `${what} is not a gzip archive`, { cause: error });
  } finally {
    gunzip.destroy();
  }
}

function safeParts(path: string, what: string): string[] {
  const bad = path.startsWith('/') || path.includes('\\') || path.includes('\u0000') || /^[a-z]:/i.test(path) || path.length > 4096;
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (bad || parts.length === 0 || parts.includes('..')) throw invalid(what, `holds the unsafe path ${shown(path)}`);
  return parts;
}

type Field = 'text' | 'boolean' | 'texts' | 'map' | 'maintainers' | 'dependencies';

/** The fields of Helm's chart.Metadata in its order; anything else in Chart.yaml is not part of a chart's config. */
const fieldKinds: Readonly<Record<string, Field>> = {
  name: 'text',
  home: 'text',
  sources: 'texts',
  version: 'text',
  description: 'text',
  keywords: 'texts',
  maintainers: 'maintainers',
  icon: 'text',
  apiVersion: 'text',
  condition: 'text',
  tags: 'text',
  appVersion: 'text',
  deprecated: 'boolean',
  annotations: 'map',
  kubeVersion: 'text',
  dependencies: 'dependencies',
  type: 'text',
};

const maintainerKinds: Readonly<Record<string, Field>> = { name: 'text', email: 'text', url: 'text' };
const dependencyKinds: Readonly<Record<string, Field>> = {
  name: 'text',
  version: 'text',
  repository: 'text',
  condition: 'text',
  tags: 'texts',
  enabled: 'boolean',
  alias: 'text',
};

function knownFields(fields: Readonly<Record<string, unknown>>, kinds = fieldKinds): Record<string, unknown> {
  const known: Record<string, unknown> = {};
  for (const [name, kind] of Object.entries(kinds)) {
    const value = Object.hasOwn(fields, name) ? readField(fields[name], kind) : undefined;
    if (value !== undefined) known[name] = value;
  }
  return known;
}

function readField(value: unknown, kind: Field): unknown {
  switch (kind) {
    case 'text':
      return typeof value === 'string' && value !== '' ? value : undefined;
    case 'boolean':
      return value === 'true' ? true : undefined;
    case 'texts':
      return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : undefined;
    case 'map':
      return isMap(value) ? Object.fromEntries(Object.entries(value).filter(([, entry]) => typeof entry === 'string')) : undefined;
    case 'maintainers':
      return Array.isArray(value) ? value.filter(isMap).map((entry) => knownFields(entry, maintainerKinds)) : undefined;
    case 'dependencies':
      return Array.isArray(value) ? value.filter(isMap).map((entry) => knownFields(entry, dependencyKinds)) : undefined;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 200));
}

function invalid(what: string, problem: string): TransferError {
  return new TransferError('InvalidManifest', `${what} ${problem}`);
}
