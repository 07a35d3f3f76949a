import type { Reply } from '../http/reply.ts';
import { bodyType } from '../request/media-type.ts';

/** JSON text on one line. */
export interface AuditBody {
  readonly json: string;
}

/** Bodies beyond this many bytes are left out of the audit log. */
const maxBodyBytes = 1024 * 1024;

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

/** The same reply; `captured` is told its body once it has been sent. Streams are not recorded. */
export function captureReply(reply: Reply, captured: (body: AuditBody | undefined) => void): Reply {
  const { body } = reply;
  const type = String(reply.headers?.['content-type'] ?? '');
  if (body.kind === 'bytes') {
    captured(jsonBody(body.bytes, type));
    return reply;
  }
  if (body.kind !== 'chunks') return reply;
  const chunks = async function* (): AsyncGenerator<Uint8Array, void, void> {
    const kept: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of body.chunks) {
      size += chunk.length;
      if (size <= maxBodyBytes) kept.push(Buffer.from(chunk));
      yield chunk;
    }
    if (size <= maxBodyBytes) captured(jsonBody(Buffer.concat(kept), type));
  };
  return { ...reply, body: { ...body, chunks: chunks() } };
}
