import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TransferError } from '../transfer-error.ts';
import { parseRepository } from './image-reference.ts';

/** Where the images of an Endpoint live. */
export type EndpointLocation =
  | {
      readonly kind: 'registry';
      /** Scheme, host and port; requests go to `<origin>/v2/...`. */
      readonly origin: URL;
      /** Put before every repository, without slashes around it; often empty. */
      readonly prefix: string;
    }
  | { readonly kind: 'layout'; readonly directory: string }
  /** A layout in a tar archive. */
  | { readonly kind: 'archive'; readonly file: string };

/**
 * Reads an Endpoint's remoteURL: `https://registry[/path]`, `http://registry[/path]` (plain http only when written
 * out), a bare `registry[:port][/path]` (https; http when the host is loopback), `oci://registry[/path]` (the same),
 * `oci-layout:///dir`, `file:///dir` or an absolute or `./` path (a directory of OCI layouts), `oci-archive:///file.tar`.
 *
 * @throws TransferError `InvalidEndpoint`
 */
export function parseEndpointURL(text: string): EndpointLocation {
  if (text === '') throw invalid(text, 'it is empty');
  if (/^(?:\.{0,2}\/)/.test(text)) return { kind: 'layout', directory: resolve(text) };
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)?.[1]?.toLowerCase();
  switch (scheme) {
    case 'oci-layout':
    case 'file':
      return { kind: 'layout', directory: layoutPath(text, scheme) };
    case 'oci-archive':
      return { kind: 'archive', file: layoutPath(text, scheme) };
    case undefined:
      return parseRegistry(`${defaultScheme(text)}://${text}`, text);
    case 'oci':
    case 'docker': {
      const rest = text.slice(scheme.length + 3);
      return parseRegistry(`${defaultScheme(rest)}://${rest}`, text);
    }
    case 'https':
    case 'http':
      return parseRegistry(text, text);
    default:
      throw invalid(text, `the scheme ${scheme} is not supported`);
  }
}

/** True for 127.0.0.0/8, ::1 and localhost. */
export function isLoopbackHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '');
  return bare === 'localhost' || bare.endsWith('.localhost') || bare === '::1' || (isIP(bare) === 4 && bare.startsWith('127.'));
}

/**
 * The repository of the registry that `repository` of an artifact means: below the Endpoint's path, and `library/` for
 * a single word on Docker Hub. A name that repeats the Endpoint's own host is understood.
 */
export function repositoryAt(location: EndpointLocation & { kind: 'registry' }, repository: string): string {
  const isDockerHub = location.origin.hostname === 'registry-1.docker.io';
  const path = [location.prefix, repository].filter((part) => part !== '').join('/');
  return parseRepository(isDockerHub && !path.includes('/') ? `library/${path}` : path);
}

/** Removes the Endpoint's own host from the front of an image name that was written in full. */
export function withoutHost(location: EndpointLocation, image: string): string {
  if (location.kind !== 'registry') return image;
  const hosts = [location.origin.host, ...(location.origin.hostname === 'registry-1.docker.io' ? ['docker.io', 'index.docker.io'] : [])];
  const host = hosts.find((candidate) => image.startsWith(`${candidate}/`));
  if (host !== undefined) {
    const rest = image.slice(host.length + 1);
    return location.prefix !== '' && rest.startsWith(`${location.prefix}/`) ? rest.slice(location.prefix.length + 1) : rest;
  }
  const first = image.split('/', 1)[0] ?? '';
  if (image.includes('/') && /:\d+$/.test(first)) {
    throw new TransferError('InvalidReference', `image ${image} names the registry ${first}, but the endpoint is ${location.origin.host}`, {
      hint: 'Write the image without a registry: it is relative to the endpoint.',
    });
  }
  return image;
}

function parseRegistry(candidate: string, text: string): EndpointLocation {
  let url: URL;
  try {
    url = new URL(candidate);
  } catch {
    throw invalid(text, 'it is not a URL');
  }
  if (url.username !== '' || url.password !== '')
    throw invalid(url.host, 'it holds credentials; put them into the Secret named by spec.secretRef');
  if (url.search !== '' || url.hash !== '') throw invalid(text, 'it has a query or fragment');
  if (['docker.io', 'index.docker.io', 'www.docker.com', 'hub.docker.com'].includes(url.hostname)) url.hostname = 'registry-1.docker.io';
  const prefix = url.pathname.replace(/^\/+|\/+$/g, '').replace(/^v[12](?:\/|$)/, '');
  if (prefix !== '') parseRepository(prefix);
  return { kind: 'registry', origin: new URL(url.origin), prefix };
}

/** What is spoken to `HOST[:PORT][/PATH]` when nothing is said: https, and http to loopback. */
export function defaultScheme(hostAndPath: string): 'http' | 'https' {
  const host = hostAndPath.split('/', 1)[0] ?? '';
  return isLoopbackHost(host.replace(/:\d+$/, '')) ? 'http' : 'https';
}

function layoutPath(text: string, scheme: string): string {
  const path = text.slice(scheme.length + 3);
  if (!path.startsWith('/')) throw invalid(text, 'a layout needs three slashes and an absolute path');
  return scheme === 'file' ? fileURLToPath(text) : resolve(decodeURIComponent(path));
}

function invalid(text: string, problem: string): TransferError {
  const shown = text.replace(/^([^/]*\/\/)?[^/]*@/, '$1…@');
  return new TransferError('InvalidEndpoint', `remoteURL ${JSON.stringify(shown)} cannot be used: ${problem}`, {
    hint: 'Write https://registry.example.org[/path], http://host:port for plain http, oci-layout:///directory or oci-archive:///file.tar.',
  });
}
