import { defaultScheme, parseEndpointURL } from '../reference/endpoint-url.ts';

/**
 * What is asked of an Endpoint, read as the worker reads it: `/v2/` of a registry, whatever path stands before its repositories, and
 * the URL itself of anything else. Undefined for what is not spoken to over http.
 *
 * @throws TransferError `InvalidEndpoint` for the address of a registry that no transfer could use
 */
export function probedURL(remoteURL: string, type: string): URL | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(remoteURL)?.[1]?.toLowerCase();
  if (scheme === undefined ? /^\.{0,2}\//.test(remoteURL) : !['http', 'https', 'oci', 'docker'].includes(scheme)) return undefined;
  if (type === 'oci' || scheme === 'oci' || scheme === 'docker') {
    const location = parseEndpointURL(remoteURL);
    return location.kind === 'registry' ? new URL('/v2/', location.origin) : undefined;
  }
  const url = URL.parse(scheme === undefined ? `${defaultScheme(remoteURL)}://${remoteURL}` : remoteURL);
  if (url === null) return undefined;
  url.username = '';
  url.password = '';
  return url;
}
