import { randomUUID } from 'node:crypto';
import { type ApiStatusError, parseFieldSelector, requiredFieldValue, statusError } from '@arc/apimachinery';
import { anySignal, type Clock, codeOf, type Logger, messageOf, parseDuration } from '@arc/kernel';
import { type AuditParts, noAudit, type RequestAudit, requestAudit } from './audit/request-audit.ts';
import { impersonate } from './authn/impersonate.ts';
import { anonymous, systemMasters, type UserInfo } from './authn/user.ts';
import type { Attributes } from './authz/authorizer.ts';
import { isHealthPath } from './authz/built-in.ts';
import { escapedForHtml, forbidden } from './authz/forbidden.ts';
import { AuthorizationFailed } from './authz/subject-access-review.ts';
import { toStatus } from './errors/to-status.ts';
import { type Exchange, requestUri } from './http/exchange.ts';
import type { FlowControl } from './http/in-flight.ts';
import { bytesReply, type Reply, textReply } from './http/reply.ts';
import { warningHeaders } from './http/warning-header.ts';
import { writeReply } from './http/write-reply.ts';
import type { NonResourceHandler } from './nonresource/routes.ts';
import { parseRequestInfo, type RequestInfo } from './request/request-info.ts';
import type { ServerContext } from './server-context.ts';
import { isLongRunning, serve } from './verbs/dispatch.ts';

export interface PipelineOptions {
  readonly server: ServerContext;
  readonly flow: FlowControl;
  readonly nonResource: NonResourceHandler;
  readonly audit: AuditParts | undefined;
}

const defaultTimeoutMs = 60_000;
const writeTimeoutMs = 34_000;
const maxAuditIdLength = 64;

/**
 * Serves one request from its first byte to its last. Never throws: every failure becomes a Status answer, or, once the
 * answer has begun, the end of the connection.
 */
export async function handleExchange(exchange: Exchange, { server, flow, nonResource, audit }: PipelineOptions): Promise<void> {
  const { clock, logger } = server;
  const begun = clock.monotonic();
  const auditId = auditIdOf(exchange);
  const trail = audit === undefined ? noAudit : requestAudit(auditId, audit);
  const warnings = new Set<string>();
  let info: RequestInfo | undefined;
  let code = 0;
  let longRunning = false;
  // HTTP/2 costs a server more than a client: one that has proved nothing gets a connection for each request, no session
  // (wire contract 6.1). The front proxy has proved itself, also where it speaks for somebody anonymous.
  let unproven = false;
  using deadline = requestDeadline(clock);
  const signal = anySignal(exchange.signal, deadline.signal);
  using places = new DisposableStack();

  const answer = async (): Promise<Reply> => {
    info = parseRequestInfo(exchange.method, exchange.path, exchange.query);
    longRunning = isLongRunning(server, info);
    if (longRunning) places.use(server.metrics.longRunning({ exchange, info, longRunning }));
    else deadline.start(timeoutOf(exchange, info));
    if (info.resourceRequest) server.cache.assertLoaded();
    const caller = await callerOf(exchange, info, server, signal);
    unproven = caller === anonymous && exchange.peer.chain.length === 0;
    const audited = trail.begin(exchange, info, caller);
    const user = await impersonate(exchange, caller, server.authorizer, signal);
    if (user !== caller) trail.impersonated(user);
    if (!longRunning && !user.groups.includes(systemMasters)) places.use(flow.enter(isMutating(exchange.method)));
    await authorize(server, exchange, { info, user, signal, trail });
    if (!info.resourceRequest) return nonResource(exchange, info);
    return serve(server, { exchange: audited, info, user, signal, warn: (text) => void warnings.add(text) });
  };

  try {
    const answered = await answer().catch((error: unknown) => errorReply(error, { exchange, info, logger }));
    const reply = withCommonHeaders(answered, auditId, warnings);
    code = reply.code;
    trail.answered(reply, longRunning);
    await writeReply(exchange, reply, { clock, signal });
    exchange.discardBody();
    if (code === 401 || unproven) exchange.goAway();
  } catch (error) {
    if (!exchange.signal.aborted) logger.debug('an answer was cut off', { path: exchange.path, reason: messageOf(error) });
    exchange.abort();
    server.metrics.aborted({ exchange, info, longRunning });
  } finally {
    server.metrics.finished({ exchange, info, longRunning }, { code, durationMs: clock.monotonic() - begun });
    trail.completed(exchange, info, code);
  }
}

/** @throws ApiStatusError 401; StorageError `Loading` for a token that cannot be looked up yet. */
async function callerOf(exchange: Exchange, info: RequestInfo, { authenticator }: ServerContext, signal: AbortSignal): Promise<UserInfo> {
  try {
    return await authenticator.authenticate(exchange, signal);
  } catch (error) {
    // A probe may carry a token, but does not need one.
    if (codeOf(error) === 'Loading' && isHealthPath(info.path)) return anonymous;
    throw error;
  }
}

/** The id under which a request shows in every server's audit log; taken over from the caller (wire contract 6.5). */
function auditIdOf(exchange: Exchange): string {
  const given = exchange.header('audit-id') ?? '';
  return /^[\x21-\x7e]+$/.test(given) && given.length <= maxAuditIdLength ? given : randomUUID();
}

interface Deadline extends Disposable {
  readonly signal: AbortSignal;
  start(ms: number): void;
}

function requestDeadline(clock: Clock): Deadline {
  const controller = new AbortController();
  let timer: Disposable | undefined;
  return {
    signal: controller.signal,
    start: (ms) => {
      timer = clock.after(ms, () => controller.abort(statusError.timeout()));
    },
    [Symbol.dispose]: () => timer?.[Symbol.dispose](),
  };
}

/** `timeout` caps the server's own limits (wire contract 2.4). @throws ApiStatusError 400. */
function timeoutOf(exchange: Exchange, info: RequestInfo): number {
  const limit = info.resourceRequest && isMutating(exchange.method) ? writeTimeoutMs : defaultTimeoutMs;
  const text = exchange.query.get('timeout') ?? '';
  if (text === '') return limit;
  try {
    const wanted = parseDuration(text);
    return wanted > 0 ? Math.min(limit, wanted) : limit;
  } catch {
    throw statusError.badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`);
  }
}

function isMutating(method: string): boolean {
  return method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS';
}

interface Authorizing {
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly signal: AbortSignal;
  readonly trail: RequestAudit;
}

/** @throws ApiStatusError 403 unless somebody allows it. */
async function authorize(server: ServerContext, exchange: Exchange, { info, user, signal, trail }: Authorizing): Promise<void> {
  const attributes: Attributes = { ...info, name: authorizedName(exchange, info) };
  const answer = await server.authorizer.authorize(attributes, user, signal);
  trail.authorized(answer.decision === 'allow' ? 'allow' : 'forbid', answer.reason);
  if (answer.decision !== 'allow') throw forbidden(attributes, user, answer.reason);
}

/** A list or watch of one name by field selector needs the right to that name only (wire contract 2.1). */
function authorizedName(exchange: Exchange, info: RequestInfo): string {
  if (info.name !== '' || (info.verb !== 'list' && info.verb !== 'watch' && info.verb !== 'deletecollection')) return info.name;
  return requiredFieldValue(parseFieldSelector(exchange.query.get('fieldSelector') ?? ''), 'metadata.name') ?? '';
}

interface FailedExchange {
  readonly exchange: Exchange;
  readonly info: RequestInfo | undefined;
  readonly logger: Logger;
}

function errorReply(thrown: unknown, { exchange, info, logger }: FailedExchange): Reply {
  const { verb = exchange.method.toLowerCase(), group = '', resource: plural = '' } = info ?? {};
  const error = toStatus(thrown, { verb, group, plural });
  if (error.httpCode >= 500 && !exchange.signal.aborted) {
    logger.error('a request failed', { method: exchange.method, path: exchange.path, code: error.httpCode, error: thrown });
  }
  return thrown instanceof AuthorizationFailed ? authorizationFailed(thrown, exchange) : statusReply(error);
}

/** Not a Status: what Go servers answer when nobody can be asked (wire contract 6.3). */
function authorizationFailed(error: AuthorizationFailed, exchange: Exchange): Reply {
  return textReply(500, escapedForHtml(`Internal Server Error: ${JSON.stringify(requestUri(exchange))}: ${error.message}\n`));
}

function statusReply(error: ApiStatusError): Reply {
  const retryAfter = error.status.details?.retryAfterSeconds ?? 0;
  return bytesReply(error.httpCode, 'application/json', `${JSON.stringify(error.status)}\n`, {
    ...(retryAfter > 0 && { 'retry-after': String(retryAfter) }),
    ...((error.httpCode === 401 || error.httpCode === 403) && { 'x-content-type-options': 'nosniff' }),
  });
}

function withCommonHeaders(reply: Reply, auditId: string, warnings: ReadonlySet<string>): Reply {
  return {
    ...reply,
    headers: {
      'audit-id': auditId,
      'cache-control': 'no-cache, private',
      ...(warnings.size > 0 && { warning: warningHeaders(warnings) }),
      ...reply.headers,
    },
  };
}
