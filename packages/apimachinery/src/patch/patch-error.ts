import { failure, statusError } from '../status/api-status-error.ts';
import type { ApiStatusError } from '../status/api-status-error.ts';

/** The patch itself is not one: 400 BadRequest. */
export function malformedPatch(what: string): ApiStatusError {
  return statusError.badRequest(what);
}

/** A well-formed patch that does not fit the object: 422 Invalid (wire contract 2.3), the real reason as its cause. */
export function inapplicablePatch(why: string): ApiStatusError {
  return failure(422, 'Invalid', 'the server rejected our request due to an error in our request', { causes: [{ message: why }] });
}

/** 413 RequestEntityTooLarge (wire contract 2.3). */
export function patchTooLarge(why: string): ApiStatusError {
  return failure(413, 'RequestEntityTooLarge', `Request entity too large: ${why}`);
}
