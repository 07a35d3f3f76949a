import { isLoopbackHost } from '../reference/endpoint-url.ts';
import { TransferError } from '../transfer-error.ts';

/**
 * Reads the remoteURL of an endpoint that serves files below a path: `https://host/path`, `http://host/path` (plain http
 * only when written out), or a bare `host/path` (https; http when the host is loopback). The result ends with a slash.
 *
 * @throws TransferError `InvalidEndpoint`
 */
export function parseBaseURL(text: string): URL {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') throw invalid(text, `the scheme ${scheme} is not supported`);
  const host = text.split('/', 1)[0] ?? '';
  const bare = isLoopbackHost(host.replace(/:\d+$/, '')) ? 'http' : 'https';
  let url: URL;
  try {
    url = new URL(scheme === undefined ? `${bare}://${text}` : text);
  } catch {
    throw invalid(text, 'it is not a URL');
  }
  if (url.username !== '' || url.password !== '')
    throw invalid(url.host, 'it holds credentials; put them into the Secret named by spec.secretRef');
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'it has a query or fragment');
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/**
 * The URL of a path below an endpoint.
 *
 * @throws TransferError `InvalidReference` for a path that leads elsewhere, or to a directory
 */
export function resolveBelow(base: URL, path: string): URL {
  const shown = JSON.stringify(path.slice(0, 300));
  const relative = path.replace(/^\/(?!\/)/, '');
  let url: URL | undefined;
  try {
    url = new URL(relative, base);
  } catch {
    // Said below.
  }
  if (url === undefined || url.origin !== base.origin || !url.pathname.startsWith(base.pathname) || url.username !== '') {
    throw new TransferError('InvalidReference', `the path ${shown} does not lie below ${base.host}${base.pathname}`, {
      hint: 'Write a path relative to remoteURL of the endpoint, without a host and without "..".',
    });
  }
  if (url.search !== '' || url.hash !== '' || url.pathname.endsWith('/')) {
    throw new TransferError('InvalidReference', `the path ${shown} does not name a file`, {
      hint: 'Write the path of one file, without a query; "?" and "#" in names are written %3F and %23.',
    });
  }
  return url;
}

/**
 * A name fit for one file in a directory and for the title of a layer; names come from outside and become paths.
 *
 * @throws TransferError `InvalidReference`
 */
export function parseFileName(text: string): string {
  const safe = text.length <= 255 && /^[^/\\\u0000-\u001f\u007f]+$/.test(text) && !/^\.{1,2}$/.test(text) && !/^[a-z]:/i.test(text);
  if (safe) return text;
  throw new TransferError('InvalidReference', `not a name for a file: ${JSON.stringify(text.slice(0, 300))}`, {
    hint: 'A name has up to 255 characters, no slashes or control characters, and is not "." or "..".',
  });
}

function invalid(text: string, problem: string): TransferError {
  const shown = text.replace(/^([^/]*\/\/)?[^/]*@/, '$1…@');
  return new TransferError('InvalidEndpoint', `remoteURL ${JSON.stringify(shown)} cannot be used: ${problem}`, {
    hint: 'Write https://files.example.org/path, or http://host:port/path for plain http.',
  });
}
