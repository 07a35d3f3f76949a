import { statusError } from '../http/status-error.ts';
import { quotable, readBeginning } from '../http/quoted-text.ts';
import { parseRetryAfter } from '../http/retry.ts';
import { redactURL } from '../http/url-rules.ts';
import type { WireResponse } from '../http/wire.ts';
import { once } from '../once.ts';
import { TransferError, type TransferErrorCode } from '../transfer-error.ts';
import { childText, parseXml } from './xml.ts';

const messageLimit = 500;

interface Meaning {
  readonly code: TransferErrorCode;
  readonly hint: string;
  readonly retryable?: boolean;
}

const wrongKey: Meaning = { code: 'Unauthorized', hint: 'Check the access key and the secret key in the Secret of the endpoint.' };
const oldToken: Meaning = { code: 'Unauthorized', hint: 'The temporary credentials in the Secret of the endpoint are over: renew them.' };
const busy: Meaning = {
  code: 'RateLimited',
  retryable: true,
  hint: 'The service takes fewer requests than it gets: try again later, or lower ARC_CONCURRENCY.',
};
const broken: Meaning = { code: 'ServerError', retryable: true, hint: 'The service has a problem: look at its log or status page.' };
const damaged: Meaning = {
  code: 'DigestMismatch',
  retryable: true,
  hint: 'The bytes that arrived are not those that were sent: something on the way damages them.',
};
const full: Meaning = { code: 'StorageFull', hint: 'The service has no space left, or the quota of the bucket is used up.' };

/** The error codes of S3 ("List of error codes" of its API reference) that say what to do. */
const meanings: Readonly<Record<string, Meaning>> = {
  AccessDenied: {
    code: 'Forbidden',
    hint: 'Grant the access key s3:GetObject and s3:ListBucket on a source; s3:GetObject, s3:PutObject and s3:AbortMultipartUpload on a destination.',
  },
  AllAccessDisabled: { code: 'Forbidden', hint: 'The owner of the bucket has turned access off.' },
  InvalidObjectState: { code: 'Forbidden', hint: 'The object is archived: restore it first.' },
  InvalidAccessKeyId: wrongKey,
  SignatureDoesNotMatch: wrongKey,
  InvalidToken: oldToken,
  ExpiredToken: oldToken,
  TokenRefreshRequired: oldToken,
  NoSuchBucket: { code: 'NotFound', hint: 'Check the bucket in remoteURL of the endpoint; it is never made.' },
  NoSuchKey: { code: 'NotFound', hint: 'Check the path, and remoteURL of the endpoint.' },
  NoSuchUpload: { code: 'NotFound', hint: 'Somebody else ended the upload, perhaps a rule of the bucket: run the order again.' },
  SlowDown: busy,
  Throttling: busy,
  ThrottlingException: busy,
  TooManyRequests: busy,
  RequestTimeout: broken,
  InternalError: broken,
  ServiceUnavailable: broken,
  BadDigest: damaged,
  XAmzContentSHA256Mismatch: damaged,
  XAmzContentChecksumMismatch: damaged,
  EntityTooLarge: { code: 'TooLarge', hint: 'The service does not take objects of this size.' },
  QuotaExceeded: full,
  XMinioAdminBucketQuotaExceeded: full,
  XMinioStorageFull: full,
  PreconditionFailed: { code: 'TagConflict', hint: 'Set onConflict to overwrite or skip, or choose another name.' },
  ConditionalRequestConflict: { code: 'TagConflict', retryable: true, hint: 'Somebody else writes the same object: run the order again.' },
  OperationAborted: { code: 'TagConflict', retryable: true, hint: 'Somebody else changes the bucket: run the order again.' },
};

/** What S3 called an error, for programs; undefined for errors that are not from an answer of S3. */
export function s3CodeOf(error: unknown): string | undefined {
  const code = error instanceof TransferError ? error.details['s3Code'] : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The region that S3 says the bucket is in, when an error says so. */
export function regionIn(error: unknown): string | undefined {
  const region = error instanceof TransferError ? error.details['region'] : undefined;
  return typeof region === 'string' ? region : undefined;
}

/** Turns an answer of an S3 service that is not what was hoped for into an error. What the service says is quoted, cleaned. */
export async function explainS3(response: WireResponse, operation: string, now: number): Promise<TransferError> {
  const text = await readBeginning(response);
  const element = /^\s*(?:<\?xml|<Error)/.test(text) ? errorElement(text, operation) : undefined;
  const code = element === undefined ? codeOfHeader(response) : quotable(childText(element, 'Code'), 80);
  const region = regionOf(response.headers['x-amz-bucket-region'] ?? (element === undefined ? '' : childText(element, 'Region')));
  if (code === undefined && region === undefined && !(response.status >= 300 && response.status < 400)) {
    return withoutS3(await statusError({ ...response, body: once(Buffer.from(text)) }, operation, now));
  }
  const said = element === undefined ? '' : quotable(childText(element, 'Message'), messageLimit);
  const details = {
    operation,
    url: redactURL(response.url),
    status: response.status,
    ...(code === undefined ? {} : { s3Code: code }),
    ...(region === undefined ? {} : { region }),
  };
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], now);
  const common = { status: response.status, details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
  if (code === 'RequestTimeTooSkewed') return skewed(response, now, common);
  if (response.status >= 300 && response.status < 400) {
    return new TransferError('UnsafeURL', `${response.url.host} sends us to another address, which is not followed`, {
      ...common,
      hint: 'Use the address of the service that holds the bucket as remoteURL of the endpoint.',
    });
  }
  const meaning = meanings[code ?? ''] ?? {
    code: response.status >= 500 ? 'ServerError' : 'Refused',
    retryable: response.status >= 500 && response.status !== 501,
    hint: 'The service does not take this request: look at its log.',
  };
  const words = [code, said].filter((word) => word !== undefined && word !== '').join(': ');
  return new TransferError(meaning.code, `${response.url.host} answered ${response.status} (${words})`, {
    ...common,
    hint: meaning.hint,
    retryable: meaning.retryable ?? false,
  });
}

/** An answer that is none of S3 was most likely not given by one. */
function withoutS3(error: TransferError): TransferError {
  if (error.retryable) return error;
  const { code, message, status, details, retryable } = error;
  const hint = 'It does not answer as an S3 service does: check remoteURL of the endpoint, and what stands in front of the service.';
  return new TransferError(code, message, { hint, retryable, details, ...(status === undefined ? {} : { status }) });
}

function skewed(response: WireResponse, now: number, common: { readonly status: number }): TransferError {
  const theirs = Date.parse(response.headers.date ?? '');
  const minutes = Math.round((now - theirs) / 60_000);
  const apart = Number.isNaN(minutes) ? 'another time' : `${Math.abs(minutes)} minutes ${minutes < 0 ? 'less' : 'more'}`;
  return new TransferError('Unauthorized', `the clock of this machine shows ${apart} than that of ${response.url.host}`, {
    ...common,
    hint: 'Set the clock (NTP): signatures of S3 hold for 15 minutes.',
  });
}

function errorElement(text: string, operation: string): ReturnType<typeof parseXml> | undefined {
  try {
    const root = parseXml(text, operation);
    return root.name === 'Error' ? root : undefined;
  } catch {
    return undefined;
  }
}

/** Answers to HEAD have no body; MinIO says the code in a header. */
function codeOfHeader({ headers }: WireResponse): string | undefined {
  const code = headers['x-minio-error-code'];
  return typeof code === 'string' ? quotable(code, 80) : undefined;
}

function regionOf(value: string | readonly string[]): string | undefined {
  return typeof value === 'string' && /^[a-z0-9-]{1,40}$/.test(value) ? value : undefined;
}
