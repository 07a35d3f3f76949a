import { digestOf, type RegistryContent, type StoredManifest } from './content.ts';
import type { Answer, Exchange } from './exchange.ts';
import { blobUnknown, manifestUnknown, OciError } from './oci-error.ts';
import type { WriterLog } from './request-log.ts';

const imageIndex = 'application/vnd.oci.image.index.v1+json';
const manifestLimit = 4 * 1024 * 1024;

export interface ContentContext {
  readonly content: RegistryContent;
  readonly writers: WriterLog;
  /** Whether `/referrers/` is served and `OCI-Subject` sent. */
  readonly referrers: boolean;
  /** Most entries of one answer to a listing. */
  readonly pageSize: number;
}

/** HEAD and GET of a blob, whole or a range (distribution-spec, "Pulling blobs"). */
export function getBlob(context: ContentContext, exchange: Exchange, repository: string, digest: string): Answer {
  const bytes = context.content.blob(repository, digest);
  if (bytes === undefined) throw blobUnknown(digest);
  const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': digest, 'accept-ranges': 'bytes' };
  const range = /^bytes=(\d+)-(\d*)$/.exec(exchange.request.headers.range ?? '');
  if (range === null) return { status: 200, headers, body: bytes };
  const start = Number(range[1]);
  const end = Math.min(range[2] === '' ? bytes.length - 1 : Number(range[2]), bytes.length - 1);
  if (start > end) throw new OciError(416, 'UNSUPPORTED', 'range not satisfiable', { 'content-range': `bytes */${bytes.length}` });
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${bytes.length}` },
    body: bytes.subarray(start, end + 1),
  };
}

/**
 * HEAD and GET of a manifest. As Debian's docker-registry does, one whose media type the request does not accept
 * (an index, when there is no Accept at all) is answered 404.
 */
export function getManifest(context: ContentContext, exchange: Exchange, repository: string, reference: string): Answer {
  const manifest = context.content.manifest(repository, reference);
  if (manifest === undefined || !accepts(exchange, manifest)) throw manifestUnknown(reference);
  return { status: 200, headers: { 'content-type': manifest.mediaType, 'docker-content-digest': manifest.digest }, body: manifest.bytes };
}

/** PUT of a manifest by tag, or by digest with optional `tag` parameters. */
export async function putManifest(context: ContentContext, exchange: Exchange, repository: string, reference: string): Promise<Answer> {
  using _write = context.writers.begin(repository, exchange.writer);
  const bytes = await exchange.receiveAll(manifestLimit);
  if (bytes === undefined) throw new OciError(413, 'SIZE_INVALID', `manifests are limited to ${manifestLimit} bytes`);
  const mediaType = exchange.request.headers['content-type'];
  if (mediaType === undefined) throw new OciError(400, 'MANIFEST_INVALID', 'Content-Type is required');
  const byDigest = reference.includes(':');
  const algorithm = reference.startsWith('sha512:') ? 'sha512' : 'sha256';
  if (byDigest && digestOf(bytes, algorithm) !== reference) {
    throw new OciError(400, 'DIGEST_INVALID', `the manifest is ${digestOf(bytes, algorithm)}, not ${reference}`);
  }
  const tags = byDigest ? exchange.url.searchParams.getAll('tag') : [reference];
  const manifest = context.content.putManifest(repository, bytes, mediaType, tags, algorithm);
  for (const tag of tags) context.writers.tagged({ repository, tag, digest: manifest.digest, writer: exchange.writer });
  return {
    status: 201,
    headers: {
      location: `/v2/${repository}/manifests/${manifest.digest}`,
      'docker-content-digest': manifest.digest,
      ...(byDigest && tags.length > 0 ? { 'oci-tag': tags.join(', ') } : {}),
      ...(context.referrers && manifest.subject !== undefined ? { 'oci-subject': manifest.subject } : {}),
    },
  };
}

export function listTags(context: ContentContext, exchange: Exchange, repository: string): Answer {
  if (!context.content.has(repository)) throw new OciError(404, 'NAME_UNKNOWN', `repository ${repository} is not here`);
  const { page, headers } = paginate(context, exchange, [...context.content.tags(repository).keys()]);
  return json({ name: repository, tags: page }, headers);
}

export function listCatalog(context: ContentContext, exchange: Exchange): Answer {
  const { page, headers } = paginate(context, exchange, context.content.repositories());
  return json({ repositories: page }, headers);
}

/** The referrers of a digest, filtered by `artifactType` when asked to. */
export function listReferrers(context: ContentContext, exchange: Exchange, repository: string, digest: string): Answer {
  if (!context.referrers) return { status: 404, headers: { 'content-type': 'text/plain' }, body: Buffer.from('404 page not found\n') };
  const filter = exchange.url.searchParams.get('artifactType');
  const manifests = context.content
    .referrers(repository, digest)
    .filter((manifest) => filter === null || manifest.artifactType === filter)
    .map((manifest) => ({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.bytes.length,
      ...(manifest.artifactType === undefined ? {} : { artifactType: manifest.artifactType }),
      ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
    }));
  const answer = json(
    { schemaVersion: 2, mediaType: imageIndex, manifests },
    filter === null ? {} : { 'oci-filters-applied': 'artifactType' },
  );
  return { ...answer, headers: { ...answer.headers, 'content-type': imageIndex } };
}

function accepts(exchange: Exchange, manifest: StoredManifest): boolean {
  const accept = exchange.request.headers.accept;
  if (accept === undefined) return !/index|list/.test(manifest.mediaType);
  return accept.split(',').some((entry) => {
    const type = (entry.split(';')[0] ?? '').trim();
    return type === '*/*' || type === manifest.mediaType;
  });
}

function paginate(
  context: ContentContext,
  exchange: Exchange,
  names: readonly string[],
): { page: string[]; headers: Record<string, string> } {
  const { searchParams, pathname } = exchange.url;
  const last = searchParams.get('last');
  const wanted = Math.min(Number(searchParams.get('n') ?? context.pageSize), context.pageSize);
  const rest = last === null ? names : names.filter((name) => name > last);
  const page = rest.slice(0, wanted);
  const next = rest.length > page.length ? page.at(-1) : undefined;
  return { page, headers: next === undefined ? {} : { link: `<${pathname}?n=${wanted}&last=${encodeURIComponent(next)}>; rel="next"` } };
}

function json(value: unknown, headers: Readonly<Record<string, string>>): Answer {
  return { status: 200, headers: { 'content-type': 'application/json', ...headers }, body: Buffer.from(JSON.stringify(value)) };
}
