import { ArcError } from '@arc/kernel';
import type { FieldError } from './field-error.ts';

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** `v1 Status`, the body of every error answer (wire contract 2.3). */
export interface Status {
  kind: 'Status';
  apiVersion: 'v1';
  metadata: { continue?: string; resourceVersion?: string };
  status: 'Success' | 'Failure';
  message?: string;
  reason?: string;
  details?: StatusDetails;
  code?: number;
}

/** An error that is a Kubernetes Status: raised by the server's own code and by clients that received one. */
export class ApiStatusError extends ArcError {
  readonly status: Status;

  constructor(status: Status, options: { readonly cause?: unknown } = {}) {
    const code = status.code ?? 500;
    super(status.reason ?? 'Unknown', status.message ?? status.reason ?? `HTTP ${code}`, {
      ...options,
      retryable: code === 429 || code >= 500,
    });
    this.status = status;
  }

  /** The HTTP status code. */
  get httpCode(): number {
    return this.status.code ?? 500;
  }

  get reason(): string {
    return this.status.reason ?? '';
  }
}

/** True when `thrown` is a Status with this reason (`NotFound`, `Conflict`, `AlreadyExists`, `Expired`, ...). */
export function isStatusReason(thrown: unknown, reason: string): thrown is ApiStatusError {
  return thrown instanceof ApiStatusError && thrown.reason === reason;
}

interface QualifiedResource {
  readonly group: string;
  readonly plural: string;
}

interface QualifiedKind {
  readonly group: string;
  readonly kind: string;
}

/** Builds a failure with the given parts; the texts of the wire contract's table live in the functions below. */
export function failure(code: number, reason: string, message: string, details: StatusDetails = {}): ApiStatusError {
  return new ApiStatusError({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code });
}

function qualified(type: QualifiedResource): string {
  return type.group === '' ? type.plural : `${type.plural}.${type.group}`;
}

function detailsOf(type: QualifiedResource, name: string): StatusDetails {
  return { ...(name !== '' && { name }), ...(type.group !== '' && { group: type.group }), kind: type.plural };
}

export const statusError = {
  badRequest: (message: string): ApiStatusError => failure(400, 'BadRequest', message),
  unauthorized: (): ApiStatusError => failure(401, 'Unauthorized', 'Unauthorized'),
  notFound: (type: QualifiedResource, name: string): ApiStatusError =>
    failure(404, 'NotFound', `${qualified(type)} ${JSON.stringify(name)} not found`, detailsOf(type, name)),
  noSuchRoute: (): ApiStatusError => failure(404, 'NotFound', 'the server could not find the requested resource'),
  methodNotSupported: (type: QualifiedResource, verb: string): ApiStatusError =>
    failure(
      405,
      'MethodNotAllowed',
      `${verb} is not supported on resources of kind ${JSON.stringify(qualified(type))}`,
      detailsOf(type, ''),
    ),
  notAcceptable: (accepted: readonly string[]): ApiStatusError =>
    failure(406, 'NotAcceptable', `only the following media types are accepted: ${accepted.join(', ')}`),
  alreadyExists: (type: QualifiedResource, name: string): ApiStatusError =>
    failure(409, 'AlreadyExists', `${qualified(type)} ${JSON.stringify(name)} already exists`, detailsOf(type, name)),
  conflict: (type: QualifiedResource, name: string, why?: string): ApiStatusError =>
    failure(
      409,
      'Conflict',
      `Operation cannot be fulfilled on ${qualified(type)} ${JSON.stringify(name)}: ${
        why ?? 'the object has been modified; please apply your changes to the latest version and try again'
      }`,
      detailsOf(type, name),
    ),
  expired: (message: string): ApiStatusError => failure(410, 'Expired', message),
  entityTooLarge: (limit: number): ApiStatusError => failure(413, 'RequestEntityTooLarge', `Request entity too large: limit is ${limit}`),
  unsupportedMediaType: (accepted: readonly string[]): ApiStatusError =>
    failure(
      415,
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${accepted.join(', ')}`,
    ),
  /** 422 with one cause per field error. */
  invalid: (kind: QualifiedKind, name: string, errors: readonly FieldError[]): ApiStatusError => {
    const texts = errors.map((error) => `${error.field}: ${error.message}`);
    const subject = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`;
    return failure(
      422,
      'Invalid',
      `${subject} ${JSON.stringify(name)} is invalid: ${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`,
      {
        ...(name !== '' && { name }),
        ...(kind.group !== '' && { group: kind.group }),
        kind: kind.kind,
        causes: errors.map(({ reason, message, field }) => ({ reason, message, field })),
      },
    );
  },
  tooManyRequests: (retryAfterSeconds = 1): ApiStatusError =>
    failure(429, 'TooManyRequests', 'Too many requests, please try again later.', { retryAfterSeconds }),
  internal: (cause: string): ApiStatusError =>
    failure(500, 'InternalError', `Internal error occurred: ${cause}`, { causes: [{ message: cause }] }),
  /** The storage cannot be reached; 5xx with Retry-After, never 404. */
  storageUnavailable: (type: QualifiedResource, verb: string): ApiStatusError =>
    failure(
      500,
      'ServerTimeout',
      `The ${verb} operation against ${qualified(type)} could not be completed at this time, please try again.`,
      { name: verb, ...(type.group !== '' && { group: type.group }), kind: type.plural, retryAfterSeconds: 2 },
    ),
  resourceVersionTooLarge: (wanted: number, current: number): ApiStatusError =>
    failure(504, 'Timeout', `Timeout: Too large resource version: ${wanted}, current: ${current}`, {
      retryAfterSeconds: 1,
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    }),
  timeout: (): ApiStatusError =>
    failure(504, 'Timeout', 'Timeout: request did not complete within the allotted timeout', { retryAfterSeconds: 1 }),
} as const;
