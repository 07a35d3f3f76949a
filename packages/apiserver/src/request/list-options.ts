import { fieldError, statusError } from '@arc/apimachinery';
import { optionsInvalid } from './options-invalid.ts';
import { intParam } from './int-param.ts';
import { isTrue } from './request-info.ts';

/** How a `resourceVersion` is meant (wire contract 2.5). */
export type VersionMatch =
  /** The most recent state; asks the store. */
  | { readonly kind: 'mostRecent' }
  /** Whatever is at hand. */
  | { readonly kind: 'any' }
  | { readonly kind: 'notOlderThan'; readonly revision: number }
  | { readonly kind: 'exact'; readonly revision: number };

export interface ListOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** 0 = unlimited. */
  readonly limit: number;
  readonly continueToken: string;
  readonly version: VersionMatch;
}

/** @throws ApiStatusError 400 or 422 for what wire contract 2.4 and 2.5 forbid. */
export function parseListOptions(query: URLSearchParams): ListOptions {
  if (query.has('sendInitialEvents')) {
    throw optionsInvalid('ListOptions', [fieldError.forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')]);
  }
  const limit = Math.max(0, intParam(query, 'limit') ?? 0);
  const continueToken = query.get('continue') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const text = query.get('resourceVersion') ?? '';
  checkVersionMatch(match, text, continueToken);
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    limit,
    continueToken,
    version: versionMatch(match, continueToken === '' ? text : '', limit),
  };
}

function checkVersionMatch(match: string, resourceVersion: string, continueToken: string): void {
  if (match === '') {
    if (continueToken !== '' && resourceVersion !== '' && resourceVersion !== '0') {
      throw statusError.badRequest('specifying resource version is not allowed when using continue');
    }
    return;
  }
  const field = 'resourceVersionMatch';
  if (continueToken !== '') {
    throw optionsInvalid('ListOptions', [fieldError.forbidden(field, `${field} is forbidden when continue is provided`)]);
  }
  if (resourceVersion === '') {
    throw optionsInvalid('ListOptions', [fieldError.forbidden(field, `${field} is forbidden unless resourceVersion is provided`)]);
  }
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    throw optionsInvalid('ListOptions', [fieldError.notSupported(field, match, ['Exact', 'NotOlderThan', ''])]);
  }
  if (match === 'Exact' && resourceVersion === '0') {
    throw optionsInvalid('ListOptions', [fieldError.forbidden(field, `${field} "exact" is forbidden for resourceVersion "0"`)]);
  }
}

function versionMatch(match: string, resourceVersion: string, limit: number): VersionMatch {
  if (resourceVersion === '') return { kind: 'mostRecent' };
  const revision = parseRevision(resourceVersion);
  if (revision === 0) return { kind: 'any' };
  // Before resourceVersionMatch existed, a limited list at a version meant exactly that snapshot.
  const exact = match === 'Exact' || (match === '' && limit > 0);
  return { kind: exact ? 'exact' : 'notOlderThan', revision };
}

/** @throws ApiStatusError 400 when the text is not a decimal revision. */
export function parseRevision(text: string): number {
  const revision = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(revision)) {
    throw statusError.badRequest(`invalid resource version: ${JSON.stringify(text)}: must be a decimal number`);
  }
  return revision;
}

export interface WatchOptions {
  readonly labelSelector: string;
  readonly fieldSelector: string;
  /** Undefined: not given. */
  readonly resourceVersion: number | undefined;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean | undefined;
  /** Undefined: the server chooses. */
  readonly timeoutSeconds: number | undefined;
}

/** @throws ApiStatusError 400 or 422. */
export function parseWatchOptions(query: URLSearchParams): WatchOptions {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const initial = query.get('sendInitialEvents');
  if (initial !== null && match !== 'NotOlderThan') {
    throw optionsInvalid('ListOptions', [
      match === ''
        ? fieldError.forbidden('resourceVersionMatch', 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
        : fieldError.notSupported('resourceVersionMatch', match, ['NotOlderThan']),
    ]);
  }
  if (initial === null && match !== '') {
    throw optionsInvalid('ListOptions', [
      fieldError.forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided'),
    ]);
  }
  const timeoutSeconds = intParam(query, 'timeoutSeconds');
  return {
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    resourceVersion: text === '' ? undefined : parseRevision(text),
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
    timeoutSeconds: timeoutSeconds === undefined || timeoutSeconds <= 0 ? undefined : timeoutSeconds,
  };
}
