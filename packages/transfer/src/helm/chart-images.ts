import { parse } from 'yaml';
import { parseImageReference } from '../reference/image-reference.ts';
import { TransferError } from '../transfer-error.ts';
import { readChartFiles } from './chart-archive.ts';

/** An image that a chart names. */
export interface NamedImage {
  /** Host of its registry; `docker.io` where none is written. */
  readonly registry: string;
  /** `repository[:tag][@digest]` there. */
  readonly image: string;
}

const imagesLimit = 100;
const depthLimit = 32;

/** A line of a template that computes nothing. */
export const plainImageLine = /^[ \t]*-?[ \t]*image:[ \t]*["']?([^\s"'{}#]+)["']?[ \t]*\r?$/gm;

/**
 * The images that a chart names: in the annotation `artifacthub.io/images`, in values.yaml (`image: NAME`, or `repository` with
 * `registry`, `tag`, `digest`; the appVersion where there is no tag) and in lines of templates that compute nothing; of charts in
 * it, too. What templates compute from other values is not among them, and nothing is rendered.
 *
 * @throws TransferError `InvalidManifest` when a name cannot be that of an image, `TooLarge` beyond 100 images
 */
export async function chartImages(archive: Buffer, what: string): Promise<NamedImage[]> {
  const names = new Set<string>();
  const files = await readChartFiles(archive, what, (path) =>
    /(?:^|\/)(?:Chart\.yaml|values\.yaml|templates\/.+\.(?:yaml|yml|tpl))$/.test(path),
  );
  for (const [path, content] of files) {
    const text = content.toString('utf8');
    if (path.endsWith('/Chart.yaml')) for (const name of annotated(text, path)) names.add(name);
    else if (path.endsWith('/values.yaml')) collect(document(text, path), appVersionOf(files, path), names);
    else for (const [, name = ''] of text.matchAll(plainImageLine)) names.add(name);
  }
  if (names.size > imagesLimit) throw new TransferError('TooLarge', `${what} names more than ${imagesLimit} images`);
  const images = [...names].map((name) => named(name, what));
  return [...new Map(images.map((image) => [`${image.registry}/${image.image}`, image])).values()];
}

function annotated(text: string, path: string): string[] {
  const chart = document(text, path);
  const annotations = isMap(chart) ? chart['annotations'] : undefined;
  const written = isMap(annotations) ? annotations['artifacthub.io/images'] : undefined;
  const list = typeof written === 'string' ? document(written, `${path}, artifacthub.io/images`) : undefined;
  return Array.isArray(list)
    ? list.flatMap((entry: unknown) => (isMap(entry) && typeof entry['image'] === 'string' ? [entry['image']] : []))
    : [];
}

function collect(value: unknown, appVersion: string, names: Set<string>, depth = 0): void {
  if (depth > depthLimit) return;
  if (Array.isArray(value)) for (const entry of value) collect(entry, appVersion, names, depth + 1);
  if (!isMap(value)) return;
  const { registry, repository, tag, digest, image } = value;
  if (isText(repository) && (Object.hasOwn(value, 'tag') || Object.hasOwn(value, 'digest') || Object.hasOwn(value, 'registry'))) {
    const host = isText(registry) ? `${registry}/` : '';
    const version = isText(tag) ? tag : isText(digest) ? '' : appVersion;
    names.add(`${host}${repository}${version === '' ? '' : `:${version}`}${isText(digest) ? `@${digest}` : ''}`);
  } else if (isText(image) && isImageName(image)) names.add(image);
  for (const entry of Object.values(value)) collect(entry, appVersion, names, depth + 1);
}

function appVersionOf(files: ReadonlyMap<string, Buffer>, values: string): string {
  const path = values.replace(/values\.yaml$/, 'Chart.yaml');
  const chart = files.get(path);
  const described = chart === undefined ? undefined : document(chart.toString('utf8'), path);
  return isMap(described) && isText(described['appVersion']) ? described['appVersion'] : '';
}

function named(name: string, what: string): NamedImage {
  const [first = '', ...rest] = name.split('/');
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost');
  const registry = hasHost ? (first === 'index.docker.io' ? 'docker.io' : first) : 'docker.io';
  const image = hasHost ? rest.join('/') : name;
  const isOfficial = registry === 'docker.io' && !image.includes('/');
  try {
    parseImageReference(image);
  } catch (error) {
    throw new TransferError('InvalidManifest', `${what} names the image ${JSON.stringify(name.slice(0, 200))}, which cannot be one`, {
      cause: error,
    });
  }
  if (!/^[a-z0-9.-]+(?::\d{1,5})?$/i.test(registry))
    throw new TransferError(
      'InvalidManifest',
      `${what} names an image of the registry ${JSON.stringify(registry.slice(0, 200))}, which cannot be one`,
    );
  return { registry: registry.toLowerCase(), image: isOfficial ? `library/${image}` : image };
}

/** Where an image is: its registry, and its repository there without tag and digest. @throws TransferError `InvalidManifest` */
export function registryAndRepository(name: string, what: string): { readonly registry: string; readonly repository: string } {
  const { registry, image } = named(name, what);
  return { registry, repository: parseImageReference(image).repository };
}

function document(text: string, where: string): unknown {
  try {
    return parse(text, { schema: 'failsafe', maxAliasCount: 100, logLevel: 'error' });
  } catch (error) {
    throw new TransferError('InvalidManifest', `${where} is not valid YAML`, { cause: error });
  }
}

/** What a value called `image` has to look like to be taken for a name: computed ones and single words are none. */
export function isImageName(text: string): boolean {
  return /^[^\s{}]+$/.test(text) && /[/:]/.test(text);
}

/** What is written and not empty, in YAML whose scalars are all text. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value !== 'null' && value !== '~';
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
