import { isObject, statusError } from '@arc/apimachinery';

/** Where the next page of a list begins (wire contract 4.6). */
export interface ContinueToken {
  /** The revision all pages show; -1 = whatever is newest. */
  readonly revision: number;
  /** The last key of the page before, relative to its resource: `<namespace>/<name>` or `<name>`. */
  readonly after: string;
}

const version = 'meta.k8s.io/v1';

export function encodeContinue({ revision, after }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: version, rv: revision, start: `${after}\u0000` })).toString('base64url');
}

/** @throws ApiStatusError 400. */
export function decodeContinue(text: string): ContinueToken {
  const token = parsed(text);
  if (!isObject(token) || token['v'] !== version) throw invalid('server does not recognize this encoded version');
  const { rv, start } = token;
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv < -1 || rv === 0) throw invalid('incorrect encoded start resourceVersion');
  if (typeof start !== 'string' || start === '' || isTraversal(start)) throw invalid('start is not a valid key');
  return { revision: rv, after: start.endsWith('\u0000') ? start.slice(0, -1) : start };
}

function parsed(text: string): unknown {
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(text)) throw invalid('illegal base64 data');
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as unknown;
  } catch {
    throw invalid('not a JSON object');
  }
}

function isTraversal(start: string): boolean {
  return start.startsWith('/') || start.split('/').some((segment) => segment === '' || segment === '.' || segment === '..');
}

function invalid(why: string): Error {
  return statusError.badRequest(`invalid continue token: ${why}`);
}
