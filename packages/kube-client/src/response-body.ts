import type { Status } from '@arc/apimachinery/client';
import { ApiStatusError, parseJson } from '@arc/apimachinery/client';
import { ArcError } from '@arc/kernel';
import type { Answer } from './answer.ts';
import { addressOf, ConnectionError } from './connection-error.ts';

/** More than any list of an informer's page; protects the process from a server gone mad. */
const maxBodyBytes = 256 * 1024 * 1024;

const reasons: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  405: 'MethodNotAllowed',
  406: 'NotAcceptable',
  409: 'Conflict',
  410: 'Expired',
  413: 'RequestEntityTooLarge',
  415: 'UnsupportedMediaType',
  422: 'Invalid',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

/** @throws ConnectionError when it breaks off, ArcError `ResponseTooLarge`, or the reason of the signal. */
export async function readBody(response: Answer, server: string, signal?: AbortSignal, limit = maxBodyBytes): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of response) {
      size += chunk.length;
      if (size > limit) throw new ArcError('ResponseTooLarge', `the answer of ${addressOf(server)} exceeds ${limit} bytes`);
      chunks.push(chunk);
    }
  } catch (error) {
    if (signal?.aborted === true) throw signal.reason;
    throw error instanceof ArcError ? error : new ConnectionError(server, error);
  }
  return Buffer.concat(chunks);
}

/** @throws ArcError `UnexpectedResponse` when the body of a success is not JSON. */
export function parseBody(body: Buffer, response: Answer, server: string): unknown {
  try {
    return parseJson(body.toString('utf8'));
  } catch (error) {
    const type = response.headers['content-type'] ?? 'no content type';
    throw new ArcError(
      'UnexpectedResponse',
      `${addressOf(server)} answered ${response.statusCode} with something that is not JSON (${type})`,
      {
        hint: 'Check that the address in the kubeconfig is that of a Kubernetes API server, not of a proxy or another service.',
        cause: error,
      },
    );
  }
}

/** The Status of a failed answer; when its body is none (a proxy's page, plain text), one made from the HTTP status. */
export function statusErrorOf(body: Buffer, response: Answer, server: string): ApiStatusError {
  const code = response.statusCode ?? 500;
  const retryAfter = retryAfterSeconds(response);
  const text = body.toString('utf8').trim();
  const status = parseStatus(text) ?? {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    reason: reasons[code] ?? (code >= 500 ? 'InternalError' : 'Unknown'),
    message: synthesizedMessage(code, text, response, server),
    code,
  };
  return new ApiStatusError({
    ...status,
    code: status.code ?? code,
    ...(retryAfter !== undefined && { details: { ...status.details, retryAfterSeconds: status.details?.retryAfterSeconds ?? retryAfter } }),
  });
}

/** Seconds asked for by the Retry-After header (RFC 9110, 10.2.3); dates count as one second. */
export function retryAfterSeconds(response: Answer): number | undefined {
  const header = response.headers['retry-after'];
  if (header === undefined) return undefined;
  return /^\d+$/.test(header) ? Number(header) : 1;
}

function parseStatus(text: string): Status | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    const value = JSON.parse(text) as Partial<Status>;
    return value.kind === 'Status' && value.apiVersion === 'v1' ? (value as Status) : undefined;
  } catch {
    return undefined;
  }
}

function synthesizedMessage(code: number, text: string, response: Answer, server: string): string {
  const said = response.headers['content-type']?.startsWith('text/plain') === true ? text.slice(0, 500) : '';
  const outcome = `${code} ${response.statusMessage ?? ''}`.trim();
  return `${addressOf(server)} answered ${outcome}${said === '' ? '' : `: ${said}`}`;
}
