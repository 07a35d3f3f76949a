import { gzipSync } from 'node:zlib';
import { isMap as isMapNode, isScalar, parseDocument, type Scalar, visit, type YAMLMap } from 'yaml';
import { archiveHeader, archivePadding, archiveTrailer } from '../oci/archive-entries.ts';
import { TransferError } from '../transfer-error.ts';
import { isImageName, isText, plainImageLine, registryAndRepository } from './chart-images.ts';
import { readEveryChartFile } from './chart-archive.ts';

/** One name that was replaced. */
export interface RewrittenImage {
  /** Path in the chart. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A piece of text and what stands there afterwards. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * A chart whose images are named below `prefix` (`registry.example.org/zone`) instead of where they came from: what
 * `chartImages` finds, in the same places, and nothing else; comments and order stay. The archive is written anew, the same each time.
 *
 * @throws TransferError as `chartImages`
 */
export async function rewriteChartImages(
  archive: Buffer,
  what: string,
  prefix: string,
): Promise<{ readonly archive: Buffer; readonly images: readonly RewrittenImage[] }> {
  const images: RewrittenImage[] = [];
  const parts: Buffer[] = [];
  for await (const { path, content } of readEveryChartFile(archive, what)) {
    const rename = (from: string): string => {
      if (from.startsWith(`${prefix}/`)) return from;
      const to = `${prefix}/${registryAndRepository(from, what).repository}${versionOf(from)}`;
      images.push({ file: path, from, to });
      return to;
    };
    const bytes = Buffer.from(
      rewriteFile(path, content, { rename, prefix, note: (from, to) => images.push({ file: path, from, to }), what }),
    );
    parts.push(archiveHeader(path, bytes.length), bytes, archivePadding(bytes.length));
  }
  const written = gzipSync(Buffer.concat([...parts, archiveTrailer]), { level: 9 });
  // The tenth byte names the operating system of the compressor.
  written[9] = 255;
  return { archive: written, images };
}

interface Rewriting {
  readonly rename: (name: string) => string;
  readonly prefix: string;
  readonly note: (from: string, to: string) => void;
  readonly what: string;
}

function rewriteFile(path: string, content: Buffer, rewriting: Rewriting): Buffer | string {
  if (/(?:^|\/)values\.yaml$/.test(path)) return rewriteValues(content.toString('utf8'), path, rewriting);
  if (/\/templates\/.+\.(?:yaml|yml|tpl)$/.test(path) || /(?:^|\/)Chart\.yaml$/.test(path)) {
    const text = content.toString('utf8');
    const renamed = text.replace(plainImageLine, (line, name: string) => line.replace(name, () => rewriting.rename(name)));
    return renamed === text ? content : renamed;
  }
  return content;
}

function rewriteValues(text: string, path: string, rewriting: Rewriting): string {
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error' });
  if (document.errors.length > 0) throw new TransferError('InvalidManifest', `${path} is not valid YAML`, { cause: document.errors[0] });
  const edits: Edit[] = [];
  visit(document, {
    Map: (_key, map) => {
      edits.push(...editsOf(map, rewriting));
    },
  });
  let result = text;
  for (const { start, end, text: replacement } of edits.toSorted((a, b) => b.start - a.start))
    result = `${result.slice(0, start)}${replacement}${result.slice(end)}`;
  return result;
}

function editsOf(map: YAMLMap, { rename, prefix, note, what }: Rewriting): Edit[] {
  const scalarAt = (key: string): Scalar<string> | undefined => {
    const found = map.items.find((pair) => isScalar(pair.key) && pair.key.value === key)?.value;
    return isScalar(found) && isText(found.value) ? (found as Scalar<string>) : undefined;
  };
  const repository = scalarAt('repository');
  const registry = scalarAt('registry');
  if (repository !== undefined && ['tag', 'digest', 'registry'].some((key) => map.has(key))) {
    const from = registry === undefined ? repository.value : `${registry.value}/${repository.value}`;
    if (from.startsWith(`${prefix}/`)) return [];
    const path = registryAndRepository(from, what).repository;
    note(from, `${prefix}/${path}`);
    if (registry === undefined) return [replaced(repository, `${prefix}/${path}`)];
    const slash = prefix.indexOf('/');
    const host = slash === -1 ? prefix : prefix.slice(0, slash);
    const below = slash === -1 ? path : `${prefix.slice(slash + 1)}/${path}`;
    return [replaced(registry, host), replaced(repository, below)];
  }
  const image = scalarAt('image');
  if (image === undefined || isMapNode(map.get('image')) || !isImageName(image.value)) return [];
  return [replaced(image, rename(image.value))];
}

/** Keeps the quotes of a scalar. */
function replaced(scalar: Scalar<string>, value: string): Edit {
  const [start = 0, end = 0] = scalar.range ?? [];
  const quote = scalar.type === 'QUOTE_DOUBLE' ? '"' : scalar.type === 'QUOTE_SINGLE' ? "'" : '';
  return { start, end, text: `${quote}${value}${quote}` };
}

/** `:tag` and `@digest` of a name, as they are written. */
function versionOf(name: string): string {
  const slash = name.lastIndexOf('/');
  const found = /[:@]/.exec(name.slice(slash + 1));
  return found === null ? '' : name.slice(slash + 1 + found.index);
}
