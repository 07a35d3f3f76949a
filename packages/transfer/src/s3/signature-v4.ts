import { createHash, createHmac } from 'node:crypto';

/** An access key of an S3-compatible service. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Comes with temporary credentials. */
  readonly sessionToken?: string | undefined;
}

/** The SHA-256 of no bytes: what is signed for a request without a body. */
const emptyPayload = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

/** What proxies add, change or repeat on the way; a signature over it would not survive. */
const unsigned: ReadonlySet<string> = new Set(['accept-encoding', 'authorization', 'connection', 'content-length', 'expect', 'user-agent']);

/**
 * Signs a request for S3 with AWS Signature Version 4 and returns the headers to add. The path is signed as the URL has it,
 * so that it has to be encoded as `encodeKey` does; all of `headers` are signed but those that proxies touch.
 * `x-amz-content-sha256` among them says what the body is; without it there is none.
 */
export function signV4(
  request: { readonly method: string; readonly url: URL; readonly headers: Readonly<Record<string, string>> },
  credentials: S3Credentials,
  { region, now }: { readonly region: string; readonly now: number },
): Record<string, string> {
  const date = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = date.slice(0, 8);
  const payload = request.headers['x-amz-content-sha256'] ?? emptyPayload;
  const added = {
    'x-amz-content-sha256': payload,
    'x-amz-date': date,
    ...(credentials.sessionToken === undefined ? {} : { 'x-amz-security-token': credentials.sessionToken }),
  };
  const signed = Object.entries({ ...request.headers, ...added, host: request.url.host })
    .map(([name, value]) => [name.toLowerCase(), value.trim().replace(/\s+/g, ' ')] as const)
    .filter(([name]) => !unsigned.has(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    request.method,
    request.url.pathname,
    canonicalQuery(request.url),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    payload,
  ].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, 's3', 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`);
  const signature = hmac(key, text).toString('hex');
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},SignedHeaders=${names},Signature=${signature}`,
  };
}

/** RFC 3986 as AWS wants it: everything but letters, digits, `-`, `.`, `_` and `~` is percent-encoded. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A key as a path: its slashes stay. */
export function encodeKey(key: string): string {
  return key.split('/').map(encodeStrictly).join('/');
}

/** A query string with its parameters encoded and in the order in which they are signed. */
export function encodeQuery(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalQuery(url: URL): string {
  return encodeQuery(Object.fromEntries(url.searchParams));
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
