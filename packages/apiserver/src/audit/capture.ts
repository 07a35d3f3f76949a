import type { Reply } from '../http/reply.ts';
import { bodyType } from '../request/media-type.ts';

/** JSON text on one line. */
export interface AuditBody {
  readonly json: string;
}

/** Bodies beyond this many bytes are left out of the audit log. */
const maxBodyBytes = 1024 * 1024;
const chunkSize = 64 * 1024;

/** A body as it goes into an audit event; undefined when it is too large or not JSON. Numbers keep all their digits. */
export function jsonBody(bytes: Uint8Array, contentType: string | undefined): AuditBody | undefined {
  const type = bodyType(contentType);
  if (bytes.length === 0 || bytes.length > maxBodyBytes || !(type.endsWith('json') || type === 'application/apply-patch+yaml'))
    return undefined;
  const text = Buffer.from(bytes).toString();
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  // Inside JSON's texts line ends are always escaped: those that are left only lay out.
  return { json: text.replaceAll(/[\r\n]+/g, ' ').trim() };
}

/** The JSON body of a reply; undefined when it is too large, not JSON, or a live stream, which is not recorded. */
export function replyBody({ headers, body }: Reply): AuditBody | undefined {
  const type = String(headers?.['content-type'] ?? '');
  if (body.kind === 'bytes') return jsonBody(body.bytes, type);
  if (body.kind !== 'stream' || (body.exact && body.length > maxBodyBytes)) return undefined;
  const text = Buffer.allocUnsafeSlow(maxBodyBytes);
  let size = 0;
  for (const chunk of body.plain(Buffer.allocUnsafeSlow(chunkSize))) {
    if (size + chunk.length > text.length) return undefined;
    text.set(chunk, size);
    size += chunk.length;
  }
  return jsonBody(text.subarray(0, size), type);
}
