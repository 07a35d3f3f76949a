import { ApiStatusError, failure, statusError } from '@arc/apimachinery';
import { ArcError, messageOf } from '@arc/kernel';
import { StorageError } from '@arc/storage';

export interface FailedRequest {
  readonly verb: string;
  readonly group: string;
  readonly plural: string;
}

/**
 * Turns anything thrown while a request was served into the Status it is answered with. A storage that cannot answer is
 * always 5xx with Retry-After, never "not found".
 */
export function toStatus(thrown: unknown, request: FailedRequest): ApiStatusError {
  if (thrown instanceof ApiStatusError) return thrown;
  if (thrown instanceof StorageError) return storageStatus(thrown, request);
  if (thrown instanceof URIError) return statusError.badRequest('the request path is not valid percent-encoding');
  return statusError.internal(messageOf(thrown));
}

/** What went wrong and what to do about it. */
export function hintedMessage(thrown: unknown): string {
  const hint = thrown instanceof ArcError ? thrown.hint : undefined;
  return hint === undefined ? messageOf(thrown) : `${messageOf(thrown)}. ${hint}`;
}

function storageStatus(error: StorageError, { verb, group, plural }: FailedRequest): ApiStatusError {
  switch (error.code) {
    case 'Compacted':
      return statusError.expired('The resourceVersion for the provided list is too old.');
    case 'Loading':
      return failure(429, 'TooManyRequests', 'storage is (re)initializing', { retryAfterSeconds: 1 });
    case 'Unavailable':
    case 'Locked':
      return statusError.storageUnavailable({ group, plural }, verb);
    case 'OutcomeUnknown':
    case 'FutureRevision':
      return failure(504, 'Timeout', `Timeout: the ${verb} operation against ${plural} may or may not have been completed`, {
        retryAfterSeconds: 1,
      });
    case 'Closed':
    case 'SlowWatcher':
      return failure(503, 'ServiceUnavailable', 'the server is shutting down', { retryAfterSeconds: 1 });
    case 'Undecodable': {
      const message = hintedMessage(error);
      return failure(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] });
    }
    case 'Full':
      return failure(500, 'InternalError', `Internal error occurred: ${hintedMessage(error)}`, {
        causes: [{ message: hintedMessage(error) }],
        retryAfterSeconds: 1,
      });
    case 'TooLarge':
      return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${hintedMessage(error)}`);
    case 'BadDatabase':
      return failure(500, 'InternalError', `Internal error occurred: ${error.message}`, {
        causes: [{ message: error.message }],
        retryAfterSeconds: 1,
      });
  }
}
