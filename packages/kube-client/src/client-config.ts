/** Everything needed to reach one API server as one user. Certificates and keys are PEM text. Holds secrets: never log it. */
export interface ClientConfig {
  /** `https://host:port`, possibly with a path prefix; `http://` is accepted. */
  readonly server: string;
  /** Certificate authorities the server's certificate must chain to. Absent: the system's. */
  readonly caPem?: string;
  /** Asked before each request for authorities in place of `caPem`, which may be replaced (it caches for itself). */
  readonly currentCaPem?: () => string | Promise<string>;
  readonly insecureSkipTlsVerify?: boolean;
  /** The name expected in the server's certificate instead of the host of `server`. */
  readonly tlsServerName?: string;
  readonly clientCertificate?: { readonly certPem: string; readonly keyPem: string };
  /** A bearer token, or a function asked before each request (it caches for itself). */
  readonly token?: string | (() => string | Promise<string>);
  /** The namespace used when the user names none. Default `default`. */
  readonly namespace?: string;
}
