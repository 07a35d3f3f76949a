import type { UserInfo } from './authn/user.ts';
import type { Exchange } from './http/exchange.ts';
import type { RequestInfo } from './request/request-info.ts';

/** One finished request (wire contract 6.5, stage ResponseComplete). */
export interface AuditRecord {
  readonly auditId: string;
  /** Milliseconds since the epoch. */
  readonly received: number;
  readonly completed: number;
  readonly exchange: Pick<Exchange, 'method' | 'path' | 'query' | 'remoteAddress' | 'header'>;
  readonly user: UserInfo;
  /** 0 when the client had gone before there was an answer. */
  readonly code: number;
  /** Absent when the request target could not be parsed. */
  readonly info?: RequestInfo;
}

/** Told of every request when it is over; must not throw. */
export type AuditSink = (record: AuditRecord) => void;
