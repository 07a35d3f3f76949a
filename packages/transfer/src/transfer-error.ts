import { ArcError, type ArcErrorOptions } from '@arc/kernel';

/** What can go wrong between us and a registry or layout; stable names for programs. */
export type TransferErrorCode =
  | 'InvalidReference'
  | 'InvalidDigest'
  | 'InvalidEndpoint'
  | 'InvalidManifest'
  | 'InvalidCredentials'
  | 'UnsupportedMediaType'
  | 'PlatformNotFound'
  | 'NotFound'
  | 'Unauthorized'
  | 'Forbidden'
  | 'RateLimited'
  | 'TooLarge'
  | 'Refused'
  | 'ServerError'
  | 'ConnectionFailed'
  | 'TLSFailed'
  | 'Timeout'
  | 'UnsafeURL'
  | 'TagConflict'
  | 'DigestMismatch'
  | 'SizeMismatch'
  | 'StorageFull'
  | 'Incomplete'
  | 'UnexpectedAnswer';

export interface TransferErrorOptions extends ArcErrorOptions {
  /** HTTP status, when an answer was received. */
  readonly status?: number;
  /** Milliseconds the other side asked us to wait. */
  readonly retryAfterMs?: number;
  /** Tries made before giving up. */
  readonly tries?: number;
}

/** The error of every operation of this package below the copy engine. Messages hold no credentials and no URL queries. */
export class TransferError extends ArcError {
  declare readonly code: TransferErrorCode;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;
  /** Set once retrying has been given up: whoever is above does not try again at once. */
  readonly tries: number | undefined;

  constructor(code: TransferErrorCode, message: string, options: TransferErrorOptions = {}) {
    super(code, message, options);
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
    this.tries = options.tries;
  }
}

/** The same error, saying that it persisted. */
export function givenUp(error: TransferError, tries: number): TransferError {
  const { code, hint, retryable, details, status, retryAfterMs } = error;
  return new TransferError(code, tries === 1 ? error.message : `${error.message}; gave up after ${tries} tries`, {
    retryable,
    details,
    tries,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(status === undefined ? {} : { status }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** True when `thrown` is a TransferError with one of `codes`. */
export function isTransferError(thrown: unknown, ...codes: readonly TransferErrorCode[]): thrown is TransferError {
  return thrown instanceof TransferError && (codes.length === 0 || codes.includes(thrown.code));
}
