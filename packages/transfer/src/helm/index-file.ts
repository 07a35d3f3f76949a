import { parse } from 'yaml';
import { messageOf } from '@arc/kernel';
import { type Digest, isDigest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

/** Largest index.yaml that is read, bytes. */
export const indexLimit = 64 * 1024 * 1024;

/** Largest piece of YAML that is parsed, bytes; one chart's entries are far below it. */
const parseLimit = 8 * 1024 * 1024;

/** One version of a chart as index.yaml lists it. Nothing in it has been checked against the archive. */
export interface IndexEntry {
  readonly version: string;
  readonly urls: readonly string[];
  readonly digest: Digest | undefined;
}

/**
 * The versions of one chart in an index.yaml. Only the part about that chart is parsed, so that an index of tens of
 * megabytes costs milliseconds.
 *
 * @returns undefined when the index does not list the chart
 * @throws TransferError `InvalidManifest`, `TooLarge`
 */
export function readIndexEntries(text: string, chart: string, where: string): IndexEntry[] | undefined {
  const section = sectionOf(text, chart);
  const listed = section === undefined ? wholeIndex(text, where)[chart] : parseYaml(section, where)[chart];
  if (listed === undefined) return undefined;
  if (!Array.isArray(listed)) throw new TransferError('InvalidManifest', `${where} does not list the versions of ${chart}`);
  return listed.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const { version, urls, digest } = entry as Readonly<Record<string, unknown>>;
    if (typeof version !== 'string' || !Array.isArray(urls)) return [];
    return [{ version, urls: urls.filter((url) => typeof url === 'string'), digest: readDigest(digest) }];
  });
}

function wholeIndex(text: string, where: string): Readonly<Record<string, unknown>> {
  const { entries } = parseYaml(text, where);
  if (typeof entries === 'object' && entries !== null && !Array.isArray(entries)) return entries as Readonly<Record<string, unknown>>;
  throw new TransferError('InvalidManifest', `${where} is not the index of a chart repository`, {
    hint: 'Check remoteURL of the endpoint: index.yaml lies right below it.',
  });
}

/**
 * Cuts `<chart>: [...]` out of a block-style index, as Helm writes it; undefined when it is written in another style or
 * does not name the chart, so that the whole has to be parsed.
 */
function sectionOf(text: string, chart: string): string | undefined {
  const begin = /^entries:[ \t]*\r?\n/m.exec(text);
  if (begin === null) return undefined;
  const first = begin.index + begin[0].length;
  const indent = /^ +/.exec(text.slice(first, first + 100))?.[0];
  if (indent === undefined) return undefined;
  const escaped = chart.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const key = new RegExp(`^${indent}(["']?)${escaped}\\1:[ \\t]*\\r?\\n`, 'm').exec(text.slice(first));
  if (key === null) return undefined;
  const start = first + key.index;
  const next = new RegExp(`^(?! *\\r?$)(?!${indent} )(?!${indent}-(?: |\\r?$))`, 'gm');
  next.lastIndex = start + key[0].length;
  const end = next.exec(text)?.index ?? text.length;
  return text.slice(start, end);
}

function parseYaml(text: string, where: string): Readonly<Record<string, unknown>> {
  if (text.length > parseLimit) {
    throw new TransferError('TooLarge', `${where} has to be parsed as a whole and is larger than ${parseLimit} bytes`, {
      hint: 'Check the name of the chart; if it is right, let Helm write the index anew.',
    });
  }
  let document: unknown;
  try {
    document = parse(text, { schema: 'failsafe', maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    throw new TransferError('InvalidManifest', `${where} is not valid YAML: ${messageOf(error).split('\n')[0] ?? ''}`, { cause: error });
  }
  return typeof document === 'object' && document !== null ? (document as Readonly<Record<string, unknown>>) : {};
}

function readDigest(value: unknown): Digest | undefined {
  if (typeof value !== 'string') return undefined;
  const text = `sha256:${value.toLowerCase().replace(/^sha256:/, '')}`;
  return isDigest(text) ? text : undefined;
}
