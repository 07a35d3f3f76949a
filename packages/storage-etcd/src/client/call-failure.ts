import { status as codes, type ServiceError } from '@grpc/grpc-js';
import { StorageError, type StorageErrorCode } from '@arc/storage';

/** Why one attempt of a call failed. */
export interface CallFailure {
  readonly error: StorageError;
  /** True when the same call may succeed elsewhere or a moment later. */
  readonly retry: boolean;
  /** True when the request may have had its effect nevertheless. */
  readonly doubt: boolean;
  /** True when a new token may help. */
  readonly staleToken: boolean;
}

interface Class {
  readonly code: StorageErrorCode;
  readonly hint: string;
  readonly retry?: boolean;
  readonly doubt?: boolean;
  readonly staleToken?: boolean;
}

const badLogin = 'Check the user and the password given for etcd.';
const noPermission =
  'Give the user a role for the whole prefix: etcdctl role grant-permission ROLE --prefix=true readwrite PREFIX/, where PREFIX is /registry unless the URL says prefix=.';
const distrust = 'Check the certificate authority and the client certificate given for etcd, and the name in its certificate.';

const tooLarge: Class = {
  code: 'TooLarge',
  hint: 'Make the object smaller, or start every member of etcd with a larger --max-request-bytes (1.5 MiB unless set).',
};

/** By the texts of etcd's `rpctypes`, which outlive its status codes; what has no `doubt` was refused, not done. */
const refusals: readonly (readonly [text: string, what: Class])[] = [
  ['required revision has been compacted', { code: 'Compacted', hint: 'List again and watch from the revision of that list.' }],
  ['required revision is a future revision', { code: 'FutureRevision', hint: 'List again; etcd may have been restored from a backup.' }],
  [
    'database space exceeded',
    // Etcd makes the write that passes its quota, and answers as if it had not (its quotaApplierV3).
    {
      code: 'Full',
      doubt: true,
      hint: 'Free space (etcdctl compact, then etcdctl defrag on each member) or raise --quota-backend-bytes; then let it take writes again: etcdctl alarm disarm.',
    },
  ],
  ['request is too large', tooLarge],
  ['received message larger than max', tooLarge],
  ['invalid auth token', { code: 'Unavailable', hint: badLogin, staleToken: true, retry: true }],
  ['revision of auth store is old', { code: 'Unavailable', hint: badLogin, staleToken: true, retry: true }],
  // Authentication may have been turned on after we found that there was none.
  ['user name is empty', { code: 'Unavailable', hint: badLogin, staleToken: true, retry: true }],
  ['invalid user ID or password', { code: 'Unavailable', hint: badLogin }],
  ['permission denied', { code: 'Unavailable', hint: noPermission }],
  ['too many requests', { code: 'Unavailable', hint: 'Etcd is overloaded; look at its disk.', retry: true }],
  [
    'etcdserver: no leader',
    {
      code: 'Unavailable',
      hint: 'Check that etcd runs, most of its members if it has several, and that they reach each other.',
      retry: true,
    },
  ],
  ['corrupt cluster', { code: 'BadDatabase', hint: 'Restore etcd from a backup.' }],
];

const unreachable: Class = {
  code: 'Unavailable',
  hint: 'Check that etcd runs, most of its members if it has several, and can be reached.',
  retry: true,
};

/** Classifies what a call to the etcd at `endpoint` failed with. */
export function callFailure(error: ServiceError, endpoint: string): CallFailure {
  const refusal = refusals.find(([text]) => error.details.includes(text))?.[1];
  if (refusal !== undefined) return failureOf(refusal, { error, endpoint, doubt: refusal.doubt ?? false });
  // The words of grpc-js for a request that never left: there was no connection to send it over.
  const unsent = error.code === codes.UNAVAILABLE && /^(No connection established|Name resolution failed)/.test(error.details);
  if (unsent && /certificate|altnames|ssl|tls/i.test(error.details)) {
    return failureOf({ code: 'Unavailable', hint: distrust }, { error, endpoint, doubt: false });
  }
  return failureOf(unreachable, { error, endpoint, doubt: !unsent });
}

function failureOf(
  { code, hint, retry = false, staleToken = false }: Class,
  { error, endpoint, doubt }: { readonly error: ServiceError; readonly endpoint: string; readonly doubt: boolean },
): CallFailure {
  // grpc-js announces a note even when there is none.
  const reason = (error.details || error.message).replace(/\s*Resolution note: $/, '');
  const told = new StorageError(code, `etcd at ${endpoint}: ${reason}`, { hint, cause: error });
  return { error: told, retry, doubt, staleToken };
}
