/** A server to put load on. Plain data, so that it can be sent to a load process. */
export interface Target {
  readonly host: string;
  readonly port: number;
  /** PEM texts; absent: plain TCP. */
  readonly tls?: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly serverName?: string;
    readonly insecure?: boolean;
  };
  readonly token?: string;
  /** Before every path, without a trailing slash. */
  readonly basePath?: string;
}
