import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { ArcError, type Clock, type Logger, messageOf } from '@arc/kernel';
import { certificateVerifier } from '../authn/client-certificate.ts';
import { type Followed, followFiles } from './follow-files.ts';
import type { TlsOptions } from './tls-options.ts';

/** PEM files. */
export interface TlsFiles {
  /** The server's own chain, its own certificate first. */
  readonly certFile: string;
  readonly keyFile: string;
  /** Authorities that sign client certificates. */
  readonly clientCaFile?: string;
}

/**
 * Serving certificates that are replaced while the server runs (wire contract A4): new connections use what is in the files,
 * open ones stay; client certificates are checked by the newest authorities from the next request on, on open ones, too. Files that cannot
 * be used, or do not belong together, leave what was there before in force.
 *
 * @throws ArcError `InvalidServingCertificate`, `InvalidClientCa` for what is there at the start; the error of the file system
 */
export function followTlsFiles(
  { certFile, keyFile, clientCaFile }: TlsFiles,
  options: { readonly clock?: Clock; readonly logger?: Logger } = {},
): Promise<Followed<TlsOptions>> {
  const files = [certFile, keyFile, ...(clientCaFile === undefined ? [] : [clientCaFile])];
  return followFiles(files, {
    ...options,
    what: 'serving certificate',
    read: ([cert = '', key = '', clientCa]) => {
      assertPair({ cert, key, certFile, keyFile });
      if (clientCa === undefined) return { cert, key };
      certificateVerifier(clientCa);
      return { cert, key, clientCa };
    },
  });
}

function assertPair({ cert, key, certFile, keyFile }: { cert: string; key: string; certFile: string; keyFile: string }): void {
  try {
    createSecureContext({ cert, key });
    if (new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) return;
  } catch (error) {
    throw invalid(`the certificate of ${certFile} and the key of ${keyFile} cannot be used: ${messageOf(error)}`, error);
  }
  throw invalid(`the key of ${keyFile} does not belong to the certificate of ${certFile}`, undefined);
}

function invalid(message: string, cause: unknown): ArcError {
  return new ArcError('InvalidServingCertificate', message, {
    hint: "Give the server's certificate, followed by those of intermediate authorities, and the unencrypted private key of it, as PEM.",
    cause,
  });
}
