import { type ConflictPolicy, parseConflictPolicy } from '../copy/tag-conflict.ts';
import { type Digest, parseDigest } from '../digest/digest.ts';
import { parseFileName } from '../files/base-url.ts';
import { parseTag } from '../reference/image-reference.ts';
import { TransferError } from '../transfer-error.ts';
import { inField, readOverride, readSpec, strings, text } from './spec-fields.ts';

/** The type of an artifact that holds one file and says no other. */
const fileArtifactType = 'application/vnd.opendefense.arc.file.v1';

/** What an artifact of type `blob` asks for, worked out. */
export interface FileArtifact {
  /** Relative to the source endpoint. */
  readonly path: string;
  /** Name of the file at the source. */
  readonly publishedName: string;
  /** Name of the file at the destination: the title of the layer. */
  readonly name: string;
  readonly digest: Digest | undefined;
  /** Path of a file of checksums, relative to the source endpoint. */
  readonly checksums: string | undefined;
  readonly mediaType: string;
  readonly artifactType: string;
  readonly onConflict: ConflictPolicy | undefined;
  /** Where it goes in a directory: as `override` says, else where it is below the source. @throws TransferError `InvalidReference` */
  directoryPath(): string;
  /** Repository and tags in a registry. @throws TransferError `InvalidReference` when the spec names none */
  registryTarget(): { readonly repository: string; readonly tags: readonly string[] };
}

/**
 * Reads the spec of a `blob` artifact: `path`; `digest` or `checksums`; `name`; `override` (`repository:tag` in a
 * registry, a path in a directory); `tags[]`; `mediaType`, `artifactType`; `onConflict`. Fields that are empty count as
 * absent, unknown fields are ignored.
 *
 * @throws TransferError `InvalidReference` or `InvalidDigest` naming the field
 */
export function parseFileArtifactSpec(json: string): FileArtifact {
  const spec = readSpec(json);
  const field = (name: string): string | undefined => inField(name, () => text(spec[name], name));
  const path = field('path');
  if (path === undefined)
    throw new TransferError('InvalidReference', 'the artifact names no file', {
      hint: 'Set spec.path, for example "tools/tool-1.2.tar.gz".',
    });
  const publishedName = decoded(path.split('/').at(-1) ?? '');
  const wanted = field('name');
  const name = inField(wanted === undefined ? 'path' : 'name', () => parseFileName(wanted ?? publishedName));
  const digest = field('digest');
  return {
    path,
    publishedName,
    name,
    digest: digest === undefined ? undefined : inField('digest', () => parseDigest(digest)),
    checksums: field('checksums'),
    mediaType: inField('mediaType', () => parseMediaType(field('mediaType') ?? 'application/octet-stream')),
    artifactType: inField('artifactType', () => parseMediaType(field('artifactType') ?? fileArtifactType)),
    onConflict: inField('onConflict', () => parseConflictPolicy(field('onConflict'))),
    directoryPath: () => {
      const override = field('override');
      const folders = path
        .split('/')
        .slice(0, -1)
        .filter((part) => part !== '')
        .map(decoded);
      return override ?? [...folders, name].join('/');
    },
    registryTarget: () => {
      const { repository, tag } = inField('override', () => readOverride(spec['override'], {}));
      const tags = inField('tags', () => strings(spec['tags'], 'tags').map(parseTag));
      const all = [...new Set([...(tag === undefined ? [] : [tag]), ...tags])];
      if (repository !== undefined && all.length > 0) return { repository, tags: all };
      throw new TransferError('InvalidReference', 'spec.override: a file has no repository and tag of its own', {
        hint: 'Set spec.override to repository:tag, for example "tools/tool:1.2".',
      });
    },
  };
}

function parseMediaType(value: string): string {
  if (value.length <= 200 && /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/i.test(value)) return value;
  throw new TransferError('InvalidReference', `not a media type: ${JSON.stringify(value.slice(0, 200))}`);
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
