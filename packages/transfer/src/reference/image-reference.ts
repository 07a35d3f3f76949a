import { type Digest, parseDigest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

/** An image by name, within a registry or layout: repository with a tag, a digest, or both (the digest then decides). */
export interface ImageReference {
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

const component = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const tagPattern = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

/**
 * Parses `repository[:tag][@digest]`. Without tag and digest the tag is `latest`, as every client has it.
 *
 * @throws TransferError `InvalidReference` or `InvalidDigest`
 */
export function parseImageReference(text: string): ImageReference {
  const at = text.indexOf('@');
  const name = at === -1 ? text : text.slice(0, at);
  const digest = at === -1 ? undefined : parseDigest(text.slice(at + 1));
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  const repository = parseRepository(colon === -1 ? name : name.slice(0, colon));
  const tag = colon === -1 ? undefined : parseTag(name.slice(colon + 1));
  return { repository, tag: tag ?? (digest === undefined ? 'latest' : undefined), digest };
}

/** @throws TransferError `InvalidReference` (distribution-spec, "Pulling manifests") */
export function parseRepository(text: string): string {
  if (repositoryPattern.test(text) && text.length <= 255) return text;
  throw new TransferError('InvalidReference', `not a repository name: ${JSON.stringify(text.slice(0, 300))}`, {
    hint: 'A repository is lower-case words of a-z and 0-9, joined by ".", "_", "-" or "/", such as team/app.',
  });
}

/** @throws TransferError `InvalidReference` */
export function parseTag(text: string): string {
  if (tagPattern.test(text)) return text;
  throw new TransferError('InvalidReference', `not a tag: ${JSON.stringify(text.slice(0, 160))}`, {
    hint: 'A tag has up to 128 letters, digits, "_", "." and "-", and does not begin with "." or "-".',
  });
}

/** Writes `repository[:tag][@digest]`. */
export function formatImageReference(reference: ImageReference): string {
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  return `${reference.repository}${tag}${reference.digest === undefined ? '' : `@${reference.digest}`}`;
}
