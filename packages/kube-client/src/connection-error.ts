import { ArcError, codeOf, messageOf } from '@arc/kernel';

const untrusted =
  /^(UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED|CERT_|ERR_TLS_CERT_ALTNAME|INVALID_CA|ERR_SSL|ERR_OSSL|HOSTNAME_MISMATCH)/;
const resets = new Set([
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
  'HPE_INVALID_EOF_STATE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_INVALID_SESSION',
]);

/**
 * The server could not be reached, or the connection broke before a whole answer had arrived. Retryable, except when a
 * certificate was refused. Code `ConnectionFailed` or `CertificateRejected`.
 */
export class ConnectionError extends ArcError {
  /** The connection existed and broke: whether the request took effect is unknown. */
  readonly reset: boolean;

  constructor(server: string, cause: unknown, hint?: string) {
    const address = addressOf(server);
    const refusal = refusalIn(cause);
    const code = codeOf(refusal ?? cause) ?? '';
    const rejected = refusal !== undefined;
    super(
      rejected ? 'CertificateRejected' : 'ConnectionFailed',
      `cannot talk to the API server ${address}: ${reasonOf(code, refusal ?? cause)}`,
      {
        hint: hint ?? hintOf(code, rejected),
        retryable: !rejected,
        details: { address, ...(code !== '' && { cause: code }) },
        cause,
      },
    );
    this.reset = resets.has(code);
  }
}

/** The refusal of a certificate, which HTTP/2 wraps into one that says that the connection was closed. */
function refusalIn(cause: unknown): unknown {
  const errors = [cause, cause instanceof Error ? cause.cause : undefined];
  return errors.find((error) => untrusted.test(codeOf(error) ?? ''));
}

/** `host:port` of a server's URL. */
export function addressOf(server: string): string {
  const url = URL.canParse(server) ? new URL(server) : undefined;
  if (url === undefined) return server;
  return url.port === '' ? `${url.hostname}:${url.protocol === 'http:' ? 80 : 443}` : url.host;
}

function reasonOf(code: string, cause: unknown): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'the host name does not resolve';
    case 'ETIMEDOUT':
      return 'no answer in time';
    default:
      return resets.has(code) ? 'the connection was closed' : messageOf(cause);
  }
}

function hintOf(code: string, rejected: boolean): string {
  if (rejected) return "Check that the kubeconfig's certificate-authority is the one this server was started with, and its address.";
  if (code === 'ECONNREFUSED') return 'Check that the server is running and that the kubeconfig names its address.';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return "Check the server's host name in the kubeconfig, and the name resolution.";
  return 'Check the network between here and the server, then try again.';
}
