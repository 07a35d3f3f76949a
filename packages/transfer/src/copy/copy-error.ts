import { ArcError, messageOf } from '@arc/kernel';
import { TransferError } from '../transfer-error.ts';

export type CopyOrigin = 'source' | 'destination';

/** Why a copy failed: on which side, doing what, with which reference. Nothing was tagged at the destination. */
export class CopyError extends ArcError {
  readonly origin: CopyOrigin;
  /** What was being done: `resolve`, `read manifest`, `copy blob`, `write manifest`, `tag`, ... */
  readonly operation: string;
  /** `registry/repository:tag`, or with `@digest`. */
  readonly reference: string;

  constructor(origin: CopyOrigin, operation: string, reference: string, cause: unknown) {
    const known = cause instanceof ArcError ? cause : undefined;
    super(known?.code ?? 'CopyFailed', `${origin}: ${operation} ${reference}: ${messageOf(cause)}`, {
      hint: known?.hint ?? 'Look at the cause; it is not one this program knows.',
      retryable: known?.retryable ?? false,
      details: { ...known?.details, origin, operation, reference },
      cause,
    });
    this.origin = origin;
    this.operation = operation;
    this.reference = reference;
  }

  /** HTTP status of the answer behind this error, if there was one. */
  get status(): number | undefined {
    return this.cause instanceof TransferError ? this.cause.status : undefined;
  }
}

/** Runs `work` and says, if it fails, on which side and doing what. Aborts and errors already so marked pass unchanged. */
export async function attribute<T>(
  origin: CopyOrigin,
  operation: string,
  reference: string,
  signal: AbortSignal | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CopyError || signal?.aborted === true) throw error;
    throw new CopyError(origin, operation, reference, error);
  }
}
