import type { RequestOptions } from '../oci/repository.ts';
import { TransferError } from '../transfer-error.ts';
import type { Bucket } from './bucket.ts';
import { childText, type XmlElement } from './xml.ts';

export interface ListedObject {
  /** Below the prefix of the bucket's location. */
  readonly key: string;
  readonly size: number;
}

/** Pages that bring nothing before a listing counts as one that does not end. */
const emptyPages = 20;

/**
 * The objects of a bucket whose keys begin with `prefix` (below that of the location), page by page.
 *
 * @throws TransferError `TooLarge` beyond `limit` objects; `UnexpectedAnswer` for a listing that goes in circles
 */
export async function* listObjects(
  bucket: Bucket,
  prefix: string,
  options: RequestOptions & { readonly limit: number },
): AsyncGenerator<ListedObject> {
  const { limit, signal } = options;
  const base = bucket.prefix;
  const whole = `${base}${prefix}`;
  const tokens = new Set<string>();
  let token: string | undefined;
  let count = 0;
  let idle = 0;
  for (;;) {
    const page = await bucket.ask({
      method: 'GET',
      query: {
        'list-type': '2',
        'encoding-type': 'url',
        prefix: whole,
        ...(token === undefined ? {} : { 'continuation-token': token }),
      },
      operation: `list ${whole === '' ? 'the bucket' : whole}`,
      signal,
    });
    if (page.name !== 'ListBucketResult') throw unexpected(bucket, `answers a listing with ${JSON.stringify(page.name.slice(0, 80))}`);
    const isEncoded = childText(page, 'EncodingType') === 'url';
    const listed = page.children.filter(({ name }) => name === 'Contents').map((entry) => read(entry, isEncoded, bucket));
    idle = listed.length === 0 ? idle + 1 : 0;
    for (const { key, size } of listed) {
      if (!key.startsWith(whole)) throw unexpected(bucket, `lists ${JSON.stringify(key.slice(0, 200))}, which was not asked for`);
      count += 1;
      if (count > limit) {
        throw new TransferError('TooLarge', `${bucket.name} has more than ${limit} objects below ${JSON.stringify(prefix)}`, {
          hint: 'Name a longer prefix.',
        });
      }
      yield { key: key.slice(base.length), size };
    }
    if (childText(page, 'IsTruncated') !== 'true') return;
    token = childText(page, 'NextContinuationToken');
    if (token === '' || tokens.has(token) || idle > emptyPages) throw unexpected(bucket, 'has a listing that does not end');
    tokens.add(token);
  }
}

function read(entry: XmlElement, isEncoded: boolean, bucket: Bucket): ListedObject {
  const written = childText(entry, 'Key');
  const size = childText(entry, 'Size');
  if (!/^\d{1,15}$/.test(size)) throw unexpected(bucket, 'lists an object without a size');
  try {
    return { key: isEncoded ? decodeURIComponent(written.replaceAll('+', ' ')) : written, size: Number(size) };
  } catch {
    throw unexpected(bucket, 'lists a key that cannot be decoded');
  }
}

function unexpected(bucket: Bucket, problem: string): TransferError {
  return new TransferError('UnexpectedAnswer', `${bucket.name} ${problem}`, { hint: 'Report it to whoever runs the service.' });
}
