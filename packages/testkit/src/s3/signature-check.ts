import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export interface S3User {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** An error code of S3 and its status. */
export interface S3Refusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  /** More elements of the answer. */
  readonly elements?: Readonly<Record<string, string>>;
}

const skewMs = 15 * 60_000;

/**
 * Checks AWS Signature Version 4 of a request as S3 does (written from the specification, apart from the client's code), and
 * says what is wrong. `rawPath` and `rawQuery` are as they came.
 */
export function refusalOf(
  request: IncomingMessage,
  { rawPath, rawQuery }: { readonly rawPath: string; readonly rawQuery: string },
  { users, region, now }: { readonly users: readonly S3User[]; readonly region: string; readonly now: number },
): S3Refusal | undefined {
  const header = (name: string): string => String(request.headers[name] ?? '');
  const parsed =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      header('authorization'),
    );
  if (parsed === null) return { status: 403, code: 'AccessDenied', message: 'Access Denied.' };
  const [, id = '', day = '', signedRegion = '', names = '', signature = ''] = parsed;
  const user = users.find(({ accessKeyId }) => accessKeyId === id);
  if (user === undefined)
    return { status: 403, code: 'InvalidAccessKeyId', message: 'The Access Key Id you provided does not exist in our records.' };
  if (signedRegion !== region) {
    const message = `The authorization header is malformed; the region '${signedRegion}' is wrong; expecting '${region}'`;
    return { status: 400, code: 'AuthorizationHeaderMalformed', message, elements: { Region: region } };
  }
  const date = header('x-amz-date');
  const time = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));
  if (Number.isNaN(time) || !date.startsWith(day)) return { status: 403, code: 'AccessDenied', message: 'Missing or wrong date' };
  if (Math.abs(time - now) > skewMs)
    return {
      status: 403,
      code: 'RequestTimeTooSkewed',
      message: 'The difference between the request time and the current time is too large.',
    };
  const signedNames = names.split(';');
  const needed = Object.keys(request.headers).filter((name) => name.startsWith('x-amz-'));
  if (!['host', ...needed].every((name) => signedNames.includes(name)))
    return { status: 403, code: 'AccessDenied', message: 'There were headers present in the request which were not signed' };
  const query = rawQuery
    .split('&')
    .filter((part) => part !== '')
    .map((part) => (part.includes('=') ? part : `${part}=`))
    .sort()
    .join('&');
  const lines = signedNames.map((name) => `${name}:${header(name).trim().replace(/\s+/g, ' ')}\n`).join('');
  const canonical = `${request.method}\n${rawPath}\n${query}\n${lines}\n${names}\n${header('x-amz-content-sha256')}`;
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${createHash('sha256').update(canonical).digest('hex')}`;
  let key: Buffer = Buffer.from(`AWS4${user.secretAccessKey}`);
  for (const part of [day, region, 's3', 'aws4_request', text]) key = createHmac('sha256', key).update(part).digest();
  if (!timingSafeEqual(key, Buffer.from(signature, 'hex')))
    return {
      status: 403,
      code: 'SignatureDoesNotMatch',
      message: 'The request signature we calculated does not match the signature you provided.',
    };
  if ((user.sessionToken ?? '') !== header('x-amz-security-token'))
    return { status: 400, code: 'InvalidToken', message: 'The provided token is malformed or otherwise invalid.' };
  return undefined;
}
