import { ArcError } from '@arc/kernel';
import { type CertificateVerifier, certificateVerifier } from './client-certificate.ts';

/** How a cluster's API server proves itself to the servers behind it, and whose client certificates count (wire contract 6.1). */
export interface ExtensionAuthentication {
  /** Undefined: no front proxy is believed. */
  readonly frontProxy: FrontProxyTrust | undefined;
  /** Undefined: client certificates stand for nobody. */
  readonly clients: CertificateVerifier | undefined;
}

export interface FrontProxyTrust {
  readonly verifier: CertificateVerifier;
  /** Empty: any name its authority vouches for. */
  readonly allowedNames: readonly string[];
  /** Header names in lower case, in the order in which they are looked at. */
  readonly usernameHeaders: readonly string[];
  readonly uidHeaders: readonly string[];
  readonly groupHeaders: readonly string[];
  readonly extraHeaderPrefixes: readonly string[];
}

/** Sent by kube-apiserver since 1.33; older clusters do not name it. */
const defaultUidHeaders = ['x-remote-uid'];

/**
 * Reads the data of the ConfigMap `kube-system/extension-apiserver-authentication`. Without an authority of the front proxy,
 * or without the names of its headers, no front proxy is believed.
 *
 * @throws ArcError `InvalidExtensionAuthentication` when what is there cannot be read; it is then worse than nothing
 */
export function readExtensionAuthentication(data: Readonly<Record<string, unknown>>): ExtensionAuthentication {
  const clientCa = textAt(data, 'client-ca-file');
  const proxyCa = textAt(data, 'requestheader-client-ca-file');
  const usernameHeaders = namesAt(data, 'requestheader-username-headers');
  return {
    clients: clientCa === '' ? undefined : verifierOf('client-ca-file', clientCa),
    frontProxy:
      proxyCa === '' || usernameHeaders.length === 0
        ? undefined
        : {
            verifier: verifierOf('requestheader-client-ca-file', proxyCa),
            allowedNames: listAt(data, 'requestheader-allowed-names'),
            usernameHeaders,
            uidHeaders: 'requestheader-uid-headers' in data ? namesAt(data, 'requestheader-uid-headers') : defaultUidHeaders,
            groupHeaders: namesAt(data, 'requestheader-group-headers'),
            extraHeaderPrefixes: namesAt(data, 'requestheader-extra-headers-prefix'),
          },
  };
}

function verifierOf(key: string, bundle: string): CertificateVerifier {
  try {
    return certificateVerifier(bundle);
  } catch (error) {
    throw invalid(`${key} is no bundle of certificates`, error);
  }
}

function namesAt(data: Readonly<Record<string, unknown>>, key: string): readonly string[] {
  return listAt(data, key)
    .map((name) => name.toLowerCase())
    .filter((name) => name !== '');
}

/** A list that cannot be read is an error: an empty one of allowed names would let everybody in. */
function listAt(data: Readonly<Record<string, unknown>>, key: string): readonly string[] {
  const text = textAt(data, key);
  if (text.trim() === '') return [];
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${key} is not JSON`, error);
  }
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) throw invalid(`${key} is not a JSON array of texts`);
  return value;
}

function textAt(data: Readonly<Record<string, unknown>>, key: string): string {
  const value = Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof value === 'string' ? value : '';
}

function invalid(what: string, cause?: unknown): ArcError {
  return new ArcError('InvalidExtensionAuthentication', `the ConfigMap kube-system/extension-apiserver-authentication: ${what}`, {
    hint: 'It is written by kube-apiserver; restart it, or correct what was changed by hand.',
    cause,
  });
}
