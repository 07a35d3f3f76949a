import { parsePlatform } from '../copy/platforms.ts';
import { type ConflictPolicy, parseConflictPolicy } from '../copy/tag-conflict.ts';
import type { EndpointLocation } from '../reference/endpoint-url.ts';
import { withoutHost } from '../reference/endpoint-url.ts';
import { type ImageReference, parseImageReference, parseRepository, parseTag } from '../reference/image-reference.ts';
import { TransferError } from '../transfer-error.ts';

/** What an artifact of type `oci` asks for, worked out. */
export interface OciArtifact {
  /** In the source endpoint. */
  readonly source: ImageReference;
  /** In the destination endpoint. */
  readonly repository: string;
  /** All tags to set there; empty when only a digest is wanted. */
  readonly tags: readonly string[];
  readonly platforms: readonly string[];
  /** What to do about tags that stand for something else; undefined when the spec does not say. */
  readonly onConflict: ConflictPolicy | undefined;
}

/**
 * Reads the spec of an `oci` artifact: `image` (`repository[:tag][@digest]`), or `repository` with `tag`; `override`
 * (`repository[:tag]` at the destination; `{{.repository}}` and `{{.tag}}` stand for the source's, or an object with
 * `repository` and `tag`); `tags[]`; `platforms[]`; `onConflict` (`fail`, `skip`, `overwrite`). Fields that are empty count as absent, unknown fields are ignored.
 *
 * @throws TransferError `InvalidReference` naming the field
 */
export function parseOciArtifactSpec(json: string, endpoint: EndpointLocation): OciArtifact {
  const spec = readObject(json);
  const source = inField('image', () => readSource(spec, endpoint));
  const override = inField('override', () => readOverride(spec['override'], source));
  const tag = override.tag ?? source.tag;
  const further = inField('tags', () => strings(spec['tags'], 'tags').map(parseTag));
  return {
    source,
    repository: override.repository ?? source.repository,
    tags: [...new Set([...(tag === undefined ? [] : [tag]), ...further])],
    platforms: inField('platforms', () => [...new Set(strings(spec['platforms'], 'platforms').map(parsePlatform))]),
    onConflict: inField('onConflict', () => parseConflictPolicy(text(spec['onConflict'], 'onConflict'))),
  };
}

/** The string to ask a repository for: the digest when there is one. */
export function referenceOf(image: ImageReference): string {
  return image.digest ?? image.tag ?? 'latest';
}

function readSource(spec: Readonly<Record<string, unknown>>, endpoint: EndpointLocation): ImageReference {
  const image = text(spec['image'], 'image') ?? joined(text(spec['repository'], 'repository'), text(spec['tag'], 'tag'));
  if (image === undefined) {
    throw new TransferError('InvalidReference', 'the artifact names no image', { hint: 'Set spec.image, for example "team/app:v1".' });
  }
  return parseImageReference(withoutHost(endpoint, image));
}

function joined(repository: string | undefined, tag: string | undefined): string | undefined {
  if (repository === undefined || tag === undefined) return repository;
  return tag.includes(':') ? `${repository}@${tag}` : `${repository}:${tag}`;
}

function readOverride(value: unknown, source: ImageReference): { repository?: string; tag?: string } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const fields = value as Readonly<Record<string, unknown>>;
    const repository = text(fields['repository'] ?? fields['name'], 'override.repository');
    const tag = text(fields['tag'], 'override.tag');
    return {
      ...(repository === undefined ? {} : { repository: parseRepository(repository) }),
      ...(tag === undefined ? {} : { tag: parseTag(tag) }),
    };
  }
  const written = text(value, 'override');
  if (written === undefined) return {};
  const expanded = written.replace(/\{\{\s*\.repository\s*\}\}/g, source.repository).replace(/\{\{\s*\.tag\s*\}\}/g, source.tag ?? '');
  if (expanded.includes('{{'))
    throw new TransferError('InvalidReference', `${JSON.stringify(written)} uses more than {{.repository}} and {{.tag}}`);
  if (expanded.includes('@'))
    throw new TransferError('InvalidReference', 'a digest cannot be overridden', { hint: 'Write repository[:tag].' });
  if (expanded.startsWith(':')) return { tag: parseTag(expanded.slice(1)) };
  const colon = expanded.lastIndexOf(':');
  if (colon === -1 || expanded.includes('/', colon)) return { repository: parseRepository(expanded) };
  return { repository: parseRepository(expanded.slice(0, colon)), tag: parseTag(expanded.slice(colon + 1)) };
}

function readObject(json: string): Readonly<Record<string, unknown>> {
  let spec: unknown;
  try {
    spec = JSON.parse(json);
  } catch (error) {
    throw new TransferError('InvalidReference', 'the artifact spec is not valid JSON', { cause: error });
  }
  if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) return spec as Readonly<Record<string, unknown>>;
  throw new TransferError('InvalidReference', 'the artifact spec is not an object', { hint: 'Set spec.image, for example "team/app:v1".' });
}

function text(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value.trim();
  throw new TransferError('InvalidReference', `${field} is not a string`, {
    hint: 'Put the value into quotes: YAML reads 1.10 as a number.',
  });
}

function strings(value: unknown, field: string): string[] {
  if (value === undefined || value === null || value === '') return [];
  if (!Array.isArray(value)) throw new TransferError('InvalidReference', `${field} is not a list`);
  return value.flatMap((entry, index) => text(entry, `${field}[${index}]`) ?? []);
}

function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    throw new TransferError(error.code, `spec.${field}: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
