import { TransferError, type TransferErrorCode, type TransferErrorOptions } from '../transfer-error.ts';
import { quotable, readBeginning } from './quoted-text.ts';
import { isRetryableStatus, parseRetryAfter } from './retry.ts';
import { redactURL } from './url-rules.ts';
import type { WireResponse } from './wire.ts';

const messageLimit = 2048;

/** Turns an answer that is not what was hoped for into an error; reads at most a little of its body. */
export async function statusError(response: WireResponse, operation: string, now: number): Promise<TransferError> {
  const text = await readBeginning(response);
  const said = describe(text);
  const { code, hint } = meaning(response.status);
  const options: TransferErrorOptions = {
    status: response.status,
    hint,
    retryable: isRetryableStatus(response.status),
    details: { operation, url: redactURL(response.url), status: response.status },
  };
  const retryAfterMs = parseRetryAfter(response.headers['retry-after'], now);
  const message = `${response.url.host} answered ${response.status}${said === '' ? '' : ` (${said})`}`;
  return new TransferError(code, message, retryAfterMs === undefined ? options : { ...options, retryAfterMs });
}

/** Reads a body of at most `limit` bytes. @throws TransferError `TooLarge` */
export async function readLimited(response: WireResponse, limit: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    size += chunk.length;
    if (size > limit) throw new TransferError('TooLarge', `${what} is larger than ${limit} bytes`);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** The errors of a distribution-spec answer, or the beginning of any other text. */
function describe(text: string): string {
  let said = /^\s*</.test(text) ? '' : text;
  try {
    const { errors } = JSON.parse(text) as { errors?: readonly { code?: unknown; message?: unknown }[] };
    if (Array.isArray(errors))
      said = errors
        .map((error) => [error.code, error.message].filter((part) => typeof part === 'string' && part !== '').join(': '))
        .join('; ');
  } catch {
    // Not JSON: shown as it is.
  }
  return quotable(said, messageLimit);
}

function meaning(status: number): { code: TransferErrorCode; hint: string } {
  switch (status) {
    case 401:
      return { code: 'Unauthorized', hint: 'Check username and password (or token) in the Secret of the endpoint.' };
    case 403:
      return { code: 'Forbidden', hint: 'The credentials are known but may not do this: grant the account access to the repository.' };
    case 404:
      return {
        code: 'NotFound',
        hint: 'Check the name of the repository, tag or digest; some registries also answer so when access is missing.',
      };
    case 413:
      return { code: 'TooLarge', hint: 'The registry, or a proxy in front of it, limits the size of what it takes: raise that limit.' };
    case 429:
      return { code: 'RateLimited', hint: 'The registry limits how often it may be asked: wait, or use an account with a higher limit.' };
    case 507:
      return { code: 'StorageFull', hint: 'The registry has no space left.' };
    default:
      if (status >= 500) return { code: 'ServerError', hint: 'The registry, or a proxy in front of it, has a problem: look at its log.' };
      return { code: 'Refused', hint: 'The registry does not take this request: look at its log.' };
  }
}
