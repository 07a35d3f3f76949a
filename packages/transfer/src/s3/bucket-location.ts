import { isIP } from 'node:net';
import { defaultScheme } from '../reference/endpoint-url.ts';
import { TransferError } from '../transfer-error.ts';
import { encodeKey } from './signature-v4.ts';

/** Where the objects of an Endpoint live. */
export interface BucketLocation {
  /** Scheme, host and port that requests go to. */
  readonly origin: URL;
  readonly bucket: string;
  /** Put before every key: empty, or ending with a slash. */
  readonly prefix: string;
  /** Whether the bucket is part of the path or of the host. */
  readonly style: 'path' | 'host';
  /** As the address says it; undefined when it does not. */
  readonly region: string | undefined;
  /** Amazon's own service, whose hosts are named by region. */
  readonly isAWS: boolean;
}

const bucketPattern = /^(?!xn--)[a-z0-9](?:[a-z0-9._-]{1,61}[a-z0-9])$/i;
const awsHost = /^(?:(.+)\.)?s3(?:[.-]([a-z]{2}(?:-[a-z]+)+-\d))?\.amazonaws\.com(\.cn)?$/;

/**
 * Reads the remoteURL of an Endpoint of type `s3`: `s3://BUCKET[/PREFIX]` (Amazon), `https://HOST[:PORT]/BUCKET[/PREFIX]` (any
 * service; `http://` only when written out), `https://BUCKET.s3.REGION.amazonaws.com[/PREFIX]`, and the same without a scheme
 * (https; http when the host is loopback).
 *
 * @throws TransferError `InvalidEndpoint`
 */
export function parseBucketURL(text: string): BucketLocation {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme === 's3') {
    const [bucket = '', ...rest] = text.slice('s3://'.length).split('/');
    return amazon(parseBucket(bucket, text), { prefix: prefixOf(rest.join('/'), text), region: undefined, suffix: '' });
  }
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') throw invalid(text, `the scheme ${scheme} is not supported`);
  const url = URL.parse(scheme === undefined ? `${defaultScheme(text)}://${text}` : text);
  if (url === null) throw invalid(text, 'it is not a URL');
  if (url.username !== '' || url.password !== '')
    throw invalid(url.host, 'it holds credentials; put them into the Secret named by spec.secretRef');
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'it has a query or fragment');
  const path = url.pathname.slice(1);
  const aws = awsHost.exec(url.hostname);
  if (aws?.[1] !== undefined && url.protocol === 'https:') {
    return amazon(parseBucket(aws[1], text), { prefix: prefixOf(path, text), region: aws[2], suffix: aws[3] ?? '' });
  }
  const [bucket = '', ...rest] = path.split('/');
  const prefix = prefixOf(rest.join('/'), text);
  if (aws !== null && url.protocol === 'https:') return amazon(parseBucket(bucket, text), { prefix, region: aws[2], suffix: aws[3] ?? '' });
  return { origin: new URL(url.origin), bucket: parseBucket(bucket, text), prefix, style: 'path', region: undefined, isAWS: false };
}

/** The same bucket where Amazon says it is. */
export function inRegion(location: BucketLocation, region: string): BucketLocation {
  if (!location.isAWS) return { ...location, region };
  const { bucket, prefix } = location;
  return amazon(bucket, { prefix, region, suffix: location.origin.hostname.endsWith('.cn') ? '.cn' : '' });
}

/** The URL of a key below the Endpoint's prefix; of the bucket itself without one. @throws TransferError `InvalidReference` */
export function objectURL(location: BucketLocation, key: string | undefined, query = ''): URL {
  const bucket = location.style === 'path' ? `/${location.bucket}` : '';
  const path = key === undefined ? bucket || '/' : `${bucket}/${encodeKey(parseKey(`${location.prefix}${parseKey(key)}`))}`;
  return new URL(`${path}${query === '' ? '' : `?${query}`}`, location.origin);
}

/**
 * A key that stays where it is written: segments of dots would be resolved by every URL parser on the way.
 *
 * @throws TransferError `InvalidReference`
 */
function parseKey(key: string): string {
  const parts = key.split('/');
  const safe = !parts.some((part) => part === '.' || part === '..') && !/[\u0000-\u001f\u007f\\]/.test(key) && key.isWellFormed();
  if (safe && key !== '' && !key.startsWith('/') && Buffer.byteLength(key) <= 1024) return key;
  throw new TransferError('InvalidReference', `not a key for an object: ${JSON.stringify(key.slice(0, 300))}`, {
    hint: 'A key has up to 1024 bytes, does not begin with a slash, and has no control characters, backslashes or segments "." and "..".',
  });
}

function amazon(
  bucket: string,
  { prefix, region, suffix }: { readonly prefix: string; readonly region: string | undefined; readonly suffix: string },
): BucketLocation {
  const host = `s3.${region ?? (suffix === '' ? 'us-east-1' : 'cn-north-1')}.amazonaws.com${suffix}`;
  // A certificate for *.s3.… covers one label, and upper case is no host name.
  const style = /^[a-z0-9-]+$/.test(bucket) ? 'host' : 'path';
  return { origin: new URL(`https://${style === 'host' ? `${bucket}.` : ''}${host}`), bucket, prefix, style, region, isAWS: true };
}

function parseBucket(bucket: string, text: string): string {
  if (bucketPattern.test(bucket) && !bucket.includes('..') && isIP(bucket) === 0) return bucket;
  throw invalid(text, bucket === '' ? 'it names no bucket' : `${JSON.stringify(bucket.slice(0, 100))} is not the name of a bucket`);
}

function prefixOf(path: string, text: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(path).replace(/^\/+|\/+$/g, '');
  } catch {
    throw invalid(text, 'its path is not encoded as a URL');
  }
  return decoded === '' ? '' : `${parseKey(decoded)}/`;
}

function invalid(text: string, problem: string): TransferError {
  const shown = text.replace(/^([^/]*\/\/)?[^/]*@/, '$1…@');
  return new TransferError('InvalidEndpoint', `remoteURL ${JSON.stringify(shown)} cannot be used: ${problem}`, {
    hint: 'Write https://HOST/BUCKET[/PREFIX], or s3://BUCKET[/PREFIX] for Amazon S3.',
  });
}
