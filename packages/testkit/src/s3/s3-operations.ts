import { createHash, randomUUID } from 'node:crypto';
import type { Answer, Exchange } from '../registry/exchange.ts';
import { type BucketContent, md5, type StoredObject } from './bucket-content.ts';
import type { S3Refusal } from './signature-check.ts';

export interface OperationOptions {
  /** Objects a page of a listing has. */
  readonly pageSize: number;
  /** Whether writes may be conditional; else they are answered 501, as older services do. */
  readonly conditions: boolean;
  /** Whether SHA-256 checksums are kept and told. */
  readonly checksums: boolean;
}

interface Call {
  readonly bucket: BucketContent;
  readonly key: string;
  readonly exchange: Exchange;
  readonly body: Buffer;
  readonly options: OperationOptions;
}

/** One operation on a bucket or object, after the signature was checked. */
export function perform(call: Call): Answer {
  const { key, exchange } = call;
  const { method } = exchange;
  const query = exchange.url.searchParams;
  if (key === '' && method === 'GET') return query.has('uploads') ? listUploads(call) : list(call);
  if (key === '') return { status: 200 };
  if (method === 'GET' && query.has('uploadId')) return listParts(call, query);
  if (method === 'GET' || method === 'HEAD') return read(call);
  if (method === 'PUT') return query.has('uploadId') ? putPart(call, query) : put(call);
  if (method === 'POST') return query.has('uploads') ? begin(call) : complete(call, query.get('uploadId') ?? '');
  if (method === 'DELETE') return remove(call, query.get('uploadId'));
  return refuse({ status: 405, code: 'MethodNotAllowed', message: 'The specified method is not allowed.' });
}

export function refuse({ status, code, message, elements = {} }: S3Refusal): Answer {
  const more = Object.entries({ Code: code, Message: message, ...elements }).map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`);
  return xml(status, `<Error>${more.join('')}<RequestId>1</RequestId></Error>`);
}

const noSuchKey: S3Refusal = { status: 404, code: 'NoSuchKey', message: 'The specified key does not exist.' };

function read({ bucket, key, exchange, options }: Call): Answer {
  const object = bucket.objects.get(key);
  if (object === undefined) return refuse(noSuchKey);
  const asked = exchange.request.headers;
  const headers: Record<string, string> = {
    'accept-ranges': 'bytes',
    etag: object.etag,
    ...object.headers,
    ...(asked['x-amz-checksum-mode'] === 'ENABLED' && options.checksums && object.checksum !== undefined
      ? { 'x-amz-checksum-sha256': object.checksum, 'x-amz-checksum-type': object.checksumType }
      : {}),
  };
  const { bytes } = object;
  const range = /^bytes=(\d+)-(\d*)$/.exec(asked.range ?? '');
  if (range === null || (asked['if-range'] !== undefined && asked['if-range'] !== object.etag)) {
    return { status: 200, headers: { ...headers, 'content-length': String(bytes.length) }, body: bytes };
  }
  const start = Number(range[1]);
  const end = range[2] === '' ? bytes.length - 1 : Math.min(Number(range[2]), bytes.length - 1);
  if (start > end) return refuse({ status: 416, code: 'InvalidRange', message: 'The requested range is not satisfiable' });
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end}/${bytes.length}` },
    body: bytes.subarray(start, end + 1),
  };
}

function put(call: Call): Answer {
  const refusal = bodyRefusal(call) ?? conditionRefusal(call);
  if (refusal !== undefined) return refuse(refusal);
  const object = call.bucket.put(call.key, call.body, {}, call.exchange.request.headers['x-amz-checksum-sha256'] !== undefined);
  return { status: 200, headers: { etag: object.etag } };
}

function begin({ bucket, key }: Call): Answer {
  const uploadId = randomUUID();
  bucket.uploads.set(uploadId, { key, parts: new Map() });
  return xml(200, `<InitiateMultipartUploadResult><UploadId>${uploadId}</UploadId></InitiateMultipartUploadResult>`);
}

function putPart(call: Call, query: URLSearchParams): Answer {
  const upload = call.bucket.uploads.get(query.get('uploadId') ?? '');
  if (upload?.key !== call.key) return refuse(noSuchUpload);
  const refusal = bodyRefusal(call);
  if (refusal !== undefined) return refuse(refusal);
  const etag = `"${md5(call.body)}"`;
  upload.parts.set(Number(query.get('partNumber')), { bytes: call.body, etag });
  return { status: 200, headers: { etag } };
}

const noSuchUpload: S3Refusal = { status: 404, code: 'NoSuchUpload', message: 'The specified multipart upload does not exist.' };

function complete(call: Call, uploadId: string): Answer {
  const { bucket, key, body } = call;
  const upload = bucket.uploads.get(uploadId);
  if (upload?.key !== key) return refuse(noSuchUpload);
  const listed = [...body.toString('utf8').matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]+)<\/ETag>/g)];
  const numbers = listed.map(([, number]) => Number(number));
  const known = listed.every(([, number, etag]) => upload.parts.get(Number(number))?.etag === etag);
  const last = numbers.at(-1);
  const small = numbers.some((number) => number !== last && (upload.parts.get(number)?.bytes.length ?? 0) < 5 * 1024 * 1024);
  if (!known || numbers.length === 0)
    return refuse({ status: 400, code: 'InvalidPart', message: 'One or more of the specified parts could not be found.' });
  if (small)
    return refuse({ status: 400, code: 'EntityTooSmall', message: 'Your proposed upload is smaller than the minimum allowed size' });
  const refusal = conditionRefusal(call);
  if (refusal !== undefined) return refuse(refusal);
  const { etag } = bucket.complete(upload, numbers);
  bucket.uploads.delete(uploadId);
  return xml(200, `<CompleteMultipartUploadResult><ETag>${escapeXml(etag)}</ETag></CompleteMultipartUploadResult>`);
}

function remove({ bucket, key }: Call, uploadId: string | null): Answer {
  if (uploadId === null) bucket.objects.delete(key);
  else if (!bucket.uploads.delete(uploadId)) return refuse(noSuchUpload);
  return { status: 204 };
}

function list({ bucket, exchange, options }: Call): Answer {
  const query = exchange.url.searchParams;
  const prefix = query.get('prefix') ?? '';
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString('utf8');
  const matching = bucket.keys().filter((key) => key.startsWith(prefix));
  const from = after === '' ? 0 : matching.indexOf(after) + 1;
  const size = Math.min(options.pageSize, Number(query.get('max-keys') ?? 1000));
  const page = matching.slice(from, from + size);
  const encode =
    query.get('encoding-type') === 'url'
      ? (key: string) => encodeURIComponent(key).replaceAll('%2F', '/').replaceAll('%20', '+')
      : escapeXml;
  const more = size > 0 && from + size < matching.length ? page.at(-1) : undefined;
  const token = more === undefined ? '' : `<NextContinuationToken>${Buffer.from(more).toString('base64url')}</NextContinuationToken>`;
  const entries = page.map((key) => `<Contents><Key>${encode(key)}</Key><Size>${bucket.bytes(key)?.length ?? 0}</Size></Contents>`);
  const encoding = query.has('encoding-type') ? '<EncodingType>url</EncodingType>' : '';
  return xml(
    200,
    `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${encoding}<IsTruncated>${more !== undefined}</IsTruncated>${token}${entries.join('')}</ListBucketResult>`,
  );
}

function listUploads({ bucket, exchange }: Call): Answer {
  const prefix = exchange.url.searchParams.get('prefix') ?? '';
  const uploads = [...bucket.uploads].filter(([, { key }]) => key.startsWith(prefix));
  const entries = uploads.map(([id, { key }]) => `<Upload><Key>${escapeXml(key)}</Key><UploadId>${id}</UploadId></Upload>`);
  return xml(200, `<ListMultipartUploadsResult><IsTruncated>false</IsTruncated>${entries.join('')}</ListMultipartUploadsResult>`);
}

function listParts({ bucket, options }: Call, query: URLSearchParams): Answer {
  const upload = bucket.uploads.get(query.get('uploadId') ?? '');
  if (upload === undefined) return refuse(noSuchUpload);
  const after = Number(query.get('part-number-marker') ?? 0);
  const numbers = [...upload.parts.keys()].sort((a, b) => a - b).filter((number) => number > after);
  const page = numbers.slice(0, options.pageSize);
  const entries = page.map((number) => {
    const { bytes = Buffer.alloc(0), etag = '' } = upload.parts.get(number) ?? {};
    const checksum = options.checksums ? `<ChecksumSHA256>${createHash('sha256').update(bytes).digest('base64')}</ChecksumSHA256>` : '';
    return `<Part><PartNumber>${number}</PartNumber><ETag>${escapeXml(etag)}</ETag><Size>${bytes.length}</Size>${checksum}</Part>`;
  });
  const more = numbers.length > page.length ? `<NextPartNumberMarker>${page.at(-1)}</NextPartNumberMarker>` : '';
  return xml(200, `<ListPartsResult><IsTruncated>${more !== ''}</IsTruncated>${more}${entries.join('')}</ListPartsResult>`);
}

/** What the headers say about the body has to be true. */
function bodyRefusal({ exchange, body }: Call): S3Refusal | undefined {
  const { headers } = exchange.request;
  const sha256 = createHash('sha256').update(body).digest();
  if (headers['x-amz-content-sha256'] !== sha256.toString('hex'))
    return {
      status: 400,
      code: 'XAmzContentSHA256Mismatch',
      message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
    };
  const checksum = headers['x-amz-checksum-sha256'];
  if (checksum === undefined || checksum === sha256.toString('base64')) return undefined;
  return { status: 400, code: 'BadDigest', message: 'The SHA256 you specified did not match the calculated checksum.' };
}

function conditionRefusal({ bucket, key, exchange, options }: Call): S3Refusal | undefined {
  const { headers } = exchange.request;
  const [none, match] = [headers['if-none-match'], headers['if-match']];
  if (none === undefined && match === undefined) return undefined;
  if (!options.conditions)
    return { status: 501, code: 'NotImplemented', message: 'A header you provided implies functionality that is not implemented.' };
  const present: StoredObject | undefined = bucket.objects.get(key);
  if (match !== undefined && present === undefined) return noSuchKey;
  if ((none === '*' && present !== undefined) || (match !== undefined && match !== present?.etag))
    return { status: 412, code: 'PreconditionFailed', message: 'At least one of the pre-conditions you specified did not hold' };
  return undefined;
}

function xml(status: number, body: string): Answer {
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`) };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
