import { type Document, isMap, isScalar, isSeq, parseDocument, Scalar, type YAMLMap, type YAMLSeq } from 'yaml';
import { messageOf } from '@arc/kernel';
import { encodedOf } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';
import { compareVersions, parseVersion } from '../versions/semantic-version.ts';
import type { PublishedChart } from './chart-repository.ts';

/** Largest index.yaml that an entry is added to, bytes: it is parsed as a whole. */
export const writtenIndexLimit = 8 * 1024 * 1024;

/** What an index.yaml says about one version of a chart. */
type Presence = 'absent' | 'same' | 'different';

/** What an index lists a chart by. */
export type ListedChart = Pick<PublishedChart, 'name' | 'version' | 'digest'>;

/**
 * An index.yaml that is to be written again. What others wrote stays as it is, fields that are not known included: scalars are
 * kept as text, since `version: 1.10` read as a number would come back as 1.1.
 */
export class IndexDocument {
  readonly #document: Document;
  readonly #entries: YAMLMap;

  /** @throws TransferError `InvalidManifest` for what is no index */
  constructor(bytes: Buffer | undefined, where: string) {
    const text = bytes === undefined || bytes.length === 0 ? 'apiVersion: v1\nentries: {}\n' : bytes.toString('utf8');
    this.#document = parse(text, where);
    const root = this.#document.contents;
    if (!isMap(root)) throw notAnIndex(where);
    let entries: unknown = root.get('entries', true);
    if (entries === undefined || (isScalar(entries) && (entries.value === '' || entries.value === null))) {
      root.set('entries', this.#document.createNode({}));
      entries = root.get('entries', true);
    }
    if (!isMap(entries)) throw notAnIndex(where);
    this.#entries = entries;
  }

  /** Whether the chart is listed, by its name, version, digest and file. */
  presence(chart: ListedChart, file: string): Presence {
    const entry = this.#versions(chart.name)?.items.find((item) => isMap(item) && textOf(item, 'version') === chart.version);
    if (!isMap(entry)) return 'absent';
    const urls = entry.get('urls', true);
    const names = isSeq(urls) ? urls.items.map((item) => (isScalar(item) ? String(item.value) : '')) : [];
    const isSame = textOf(entry, 'digest').replace(/^sha256:/, '') === encodedOf(chart.digest) && names.includes(file);
    return isSame ? 'same' : 'different';
  }

  /** Lists a chart, in the place of another of that version; the newest version comes first, as Helm sorts them. */
  list(chart: PublishedChart, file: string, now: number): void {
    const time = new Date(now).toISOString();
    const entry = quoted(this.#document, {
      ...chart.metadata,
      created: time,
      digest: encodedOf(chart.digest),
      urls: [file],
    });
    let versions = this.#versions(chart.name);
    if (versions === undefined) {
      versions = this.#document.createNode([]) as YAMLSeq;
      this.#entries.flow = false;
      this.#entries.set(chart.name, versions);
    }
    versions.flow = false;
    const others = versions.items.filter((item) => !isMap(item) || textOf(item, 'version') !== chart.version);
    const mine = parseVersion(chart.version);
    const place = others.findIndex((item) => {
      const theirs = isMap(item) ? parseVersion(textOf(item, 'version')) : undefined;
      return mine !== undefined && theirs !== undefined && compareVersions(theirs, mine) < 0;
    });
    versions.items = place === -1 ? [...others, entry] : others.toSpliced(place, 0, entry);
    this.#document.set('generated', quoted(this.#document, time));
  }

  toBuffer(): Buffer {
    return Buffer.from(this.#document.toString({ lineWidth: 0, indentSeq: false }));
  }

  #versions(chart: string): YAMLSeq | undefined {
    const versions = this.#entries.get(chart, true);
    return isSeq(versions) ? versions : undefined;
  }
}

function parse(text: string, where: string): Document {
  if (text.length > writtenIndexLimit) {
    throw new TransferError('TooLarge', `${where} is larger than ${writtenIndexLimit} bytes, too large to add an entry to`, {
      hint: 'Remove old versions from it, or let charts go to a registry.',
    });
  }
  const document = parseDocument(text, { schema: 'failsafe', logLevel: 'error' });
  const [problem] = document.errors;
  if (problem !== undefined)
    throw new TransferError('InvalidManifest', `${where} is not valid YAML: ${messageOf(problem).split('\n')[0] ?? ''}`);
  return document;
}

/** Every text in double quotes, so that no reader takes it for a number, a date or a boolean. */
function quoted(document: Document, value: unknown): ReturnType<Document['createNode']> {
  const node = document.createNode(plainBooleans(value));
  visitScalars(node);
  return node;
}

/** In the failsafe schema there are only texts; a boolean is one without quotes. */
function plainBooleans(value: unknown): unknown {
  if (typeof value === 'boolean') {
    const scalar = new Scalar(String(value));
    scalar.type = 'PLAIN';
    return scalar;
  }
  if (Array.isArray(value)) return value.map(plainBooleans);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plainBooleans(field)]));
}

function visitScalars(node: unknown): void {
  if (isScalar(node)) node.type ??= 'QUOTE_DOUBLE';
  else if (isSeq(node)) for (const item of node.items) visitScalars(item);
  else if (isMap(node)) for (const pair of node.items) visitScalars(pair.value);
}

function textOf(map: YAMLMap, field: string): string {
  const value = map.get(field);
  return typeof value === 'string' ? value : '';
}

function notAnIndex(where: string): TransferError {
  return new TransferError('InvalidManifest', `${where} is not the index of a chart repository`, {
    hint: 'Check remoteURL of the endpoint; another file of that name is not replaced.',
  });
}
