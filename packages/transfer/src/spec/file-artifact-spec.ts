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
  /** Relative to the source endpoint. One that ends with a slash means all files below it. */
  readonly path: string;
  /** A range of which the newest is taken; then `{{.version}}` in `path` stands for it. */
  readonly version: string | undefined;
  readonly digest: Digest | undefined;
  /** Path of a file of checksums, relative to the source endpoint. */
  readonly checksums: string | undefined;
  readonly mediaType: string;
  readonly artifactType: string;
  readonly onConflict: ConflictPolicy | undefined;
  /** Name of a file at the source, by its path. */
  publishedName(path: string): string;
  /** Name of a file at the destination, the title of its layer: as the spec says, as the source calls it, else the end of its path. */
  nameOf(path: string, title: string | undefined): string;
  /** Where a file goes in a place that has paths: as `override` says, else where it is below the source. @throws TransferError `InvalidReference` */
  destinationPath(path: string, found: { readonly name: string; readonly version: string | undefined }): string;
  /** Repository and tags in a registry. @throws TransferError `InvalidReference` when the spec names none */
  registryTarget(version: string | undefined): { readonly repository: string; readonly tags: readonly string[] };
}

/**
 * Reads the spec of a `blob` artifact: `path`; `version`; `digest` or `checksums`; `name`; `override` (`repository:tag` in a
 * registry, else a path); `tags[]`; `mediaType`, `artifactType`; `onConflict`. Fields that are empty count as absent, unknown
 * fields are ignored. Paths of web servers are as URLs have them, others as they are.
 *
 * @throws TransferError `InvalidReference` or `InvalidDigest` naming the field
 */
export function parseFileArtifactSpec(json: string, paths: 'url' | 'plain' = 'url'): FileArtifact {
  const spec = readSpec(json);
  const field = (name: string): string | undefined => inField(name, () => text(spec[name], name));
  const decode = paths === 'url' ? decoded : (segment: string): string => segment;
  const path = field('path');
  if (path === undefined)
    throw new TransferError('InvalidReference', 'the artifact names no file', {
      hint: 'Set spec.path, for example "tools/tool-1.2.tar.gz".',
    });
  const version = field('version');
  if ((version === undefined) === path.includes('{{'))
    throw new TransferError(
      'InvalidReference',
      `spec.${version === undefined ? 'version' : 'path'}: a version and {{.version}} in the path belong together`,
    );
  const wanted = field('name');
  const digest = field('digest');
  const checksums = field('checksums');
  const isFolder = path.endsWith('/');
  if (isFolder && [wanted, digest, checksums, version].some((value) => value !== undefined))
    throw new TransferError(
      'InvalidReference',
      'spec.path: a path that ends with a slash means many files, which have no name, digest or version in common',
    );
  const publishedName = (from: string): string => decode(from.split('/').at(-1) ?? '');
  return {
    path,
    version,
    digest: digest === undefined ? undefined : inField('digest', () => parseDigest(digest)),
    checksums,
    mediaType: inField('mediaType', () => parseMediaType(field('mediaType') ?? 'application/octet-stream')),
    artifactType: inField('artifactType', () => parseMediaType(field('artifactType') ?? fileArtifactType)),
    onConflict: inField('onConflict', () => parseConflictPolicy(field('onConflict'))),
    publishedName,
    nameOf: (from, title) => inField(wanted === undefined ? 'path' : 'name', () => parseFileName(wanted ?? title ?? publishedName(from))),
    destinationPath: (from, { name, version }) => {
      const override = field('override')?.replaceAll('{{.version}}', version ?? '');
      if (isFolder)
        return [override?.replace(/\/+$/, ''), from.slice(path.length)].filter((part) => part !== undefined && part !== '').join('/');
      const folders = from
        .split('/')
        .slice(0, -1)
        .filter((part) => part !== '')
        .map(decode);
      return override ?? [...folders, name].join('/');
    },
    registryTarget: (version) => {
      const known: Readonly<Record<string, string>> = version === undefined ? {} : { version: version.replace('+', '_') };
      const { repository, tag } = inField('override', () => readOverride(spec['override'], known));
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
