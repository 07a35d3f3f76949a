import type { Clock, Logger } from '@arc/kernel';
import type { WatchCache, Writer } from '@arc/storage';
import type { NamespaceLookup, QuotaLedger } from './access/access-control.ts';
import type { Authenticator } from './authn/authenticator.ts';
import type { UserInfo } from './authn/user.ts';
import type { Authorizer } from './authz/authorizer.ts';
import type { Exchange } from './http/exchange.ts';
import type { RequestMetrics } from './metrics/request-metrics.ts';
import type { KeyedLock } from './registry/keyed-lock.ts';
import type { Registry } from './registry/registry.ts';
import type { RequestInfo } from './request/request-info.ts';

/** What every request handler works with. */
export interface ServerContext {
  readonly registry: Registry;
  readonly cache: WatchCache;
  readonly writer: Writer;
  readonly locks: KeyedLock;
  readonly authenticator: Authenticator;
  readonly authorizer: Required<Authorizer>;
  readonly namespaces: NamespaceLookup | undefined;
  readonly quotas: QuotaLedger | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: RequestMetrics;
  /** Aborts when the server begins to shut down; ends watches and other long-running answers. */
  readonly shutdown: AbortSignal;
}

/** One request after its caller is known. */
export interface RequestContext {
  readonly exchange: Exchange;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  /** Aborts at the deadline of the request, or when its client has gone. */
  readonly signal: AbortSignal;
  /** Sent as a Warning header, which kubectl prints. */
  warn(text: string): void;
}
