import { isTransferError } from '../transfer-error.ts';
import type { Bucket } from './bucket.ts';
import { childText, type XmlElement } from './xml.ts';

/** A part that is at the service already. */
export interface LeftPart {
  readonly etag: string;
  readonly size: number;
  /** Base64, as the service computed it. */
  readonly checksum: string;
}

/** An upload that nobody completed or took back, and its parts by number. */
export interface LeftUpload {
  readonly uploadId: string;
  readonly parts: ReadonlyMap<number, LeftPart>;
}

const uploadsLimit = 5;
const pagesLimit = 20;

/**
 * What a worker that was killed left of an object: the upload for this key of which most parts are there. Undefined when there is
 * none, or when the access key may not look; it is a courtesy, so nothing that goes wrong here is an error.
 */
export async function findLeftUpload(bucket: Bucket, key: string, signal: AbortSignal | undefined): Promise<LeftUpload | undefined> {
  if (!bucket.speaksChecksums) return undefined;
  const whole = `${bucket.prefix}${key}`;
  try {
    const page = await bucket.ask({
      method: 'GET',
      query: { uploads: '', prefix: whole },
      operation: `look for uploads of ${key}`,
      signal,
    });
    const ids = page.children
      .filter((child) => child.name === 'Upload' && childText(child, 'Key') === whole)
      .map((child) => childText(child, 'UploadId'));
    const found: LeftUpload[] = [];
    for (const uploadId of ids.filter((id) => id !== '').slice(-uploadsLimit))
      found.push({ uploadId, parts: await listParts(bucket, key, uploadId, signal) });
    return found.filter(({ parts }) => parts.size > 0).toSorted((a, b) => b.parts.size - a.parts.size)[0];
  } catch (error) {
    if (!isTransferError(error) || signal?.aborted === true) throw error;
    return undefined;
  }
}

async function listParts(
  bucket: Bucket,
  key: string,
  uploadId: string,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, LeftPart>> {
  const parts = new Map<number, LeftPart>();
  let marker = '';
  for (let pages = 0; pages < pagesLimit; pages += 1) {
    const query = { uploadId, ...(marker === '' ? {} : { 'part-number-marker': marker }) };
    const page = await bucket.ask({ method: 'GET', key, query, operation: `look for parts of ${key}`, signal });
    for (const child of page.children) if (child.name === 'Part') readPart(child, parts);
    const next = childText(page, 'NextPartNumberMarker');
    if (childText(page, 'IsTruncated') !== 'true' || next === '' || next === marker) break;
    marker = next;
  }
  return parts;
}

/** Only parts with a checksum of the service can be compared. */
function readPart(part: XmlElement, parts: Map<number, LeftPart>): void {
  const [number, size] = [Number(childText(part, 'PartNumber')), Number(childText(part, 'Size'))];
  const [etag, checksum] = [childText(part, 'ETag'), childText(part, 'ChecksumSHA256')];
  if (Number.isSafeInteger(number) && Number.isSafeInteger(size) && etag !== '' && /^[A-Za-z0-9+/]{43}=$/.test(checksum))
    parts.set(number, { etag, size, checksum });
}
