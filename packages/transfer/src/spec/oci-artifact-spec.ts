import { parsePlatform } from '../copy/platforms.ts';
import { type ConflictPolicy, parseConflictPolicy } from '../copy/tag-conflict.ts';
import type { EndpointLocation } from '../reference/endpoint-url.ts';
import { withoutHost } from '../reference/endpoint-url.ts';
import { type ImageReference, parseImageReference, parseTag } from '../reference/image-reference.ts';
import { TransferError } from '../transfer-error.ts';
import { inField, readOverride, readSpec, strings, text } from './spec-fields.ts';

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
  const spec = readSpec(json);
  const source = inField('image', () => readSource(spec, endpoint));
  const override = inField('override', () => readOverride(spec['override'], { repository: source.repository, tag: source.tag ?? '' }));
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
