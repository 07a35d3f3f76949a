import type { Clock, Counter, Logger } from '@arc/kernel';
import { anonymous, type UserInfo } from '../authn/user.ts';
import { type Exchange, requestUri } from '../http/exchange.ts';
import type { Reply } from '../http/reply.ts';
import { nonResourceRequest, type RequestInfo } from '../request/request-info.ts';
import type { AuditDecision, AuditPolicy, AuditStage } from './policy.ts';
import { type AuditBody, jsonBody, replyBody } from './capture.ts';

export interface AuditOptions {
  readonly policy: AuditPolicy;
  /** Takes one `audit.k8s.io/v1` Event as JSON with a newline at its end. What it throws is logged; the request goes on. */
  readonly write: (line: string) => void;
}

export interface AuditParts {
  readonly options: AuditOptions;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Counter;
}

/** The audit trail of one request (wire contract 6.5). Does nothing until `begin`, and nothing at level None. */
export interface RequestAudit {
  /** Who asks for what is known. Returns the exchange to go on with, which takes note of the body if it is to be recorded. */
  begin(exchange: Exchange, info: RequestInfo, user: UserInfo): Exchange;
  impersonated(user: UserInfo): void;
  authorized(decision: 'allow' | 'forbid', reason: string): void;
  /** The answer is known and about to be sent. */
  answered(reply: Reply, longRunning: boolean): void;
  /** The request is over. Records also one that was never begun, since it could not be parsed or authenticated. */
  completed(exchange: Exchange, info: RequestInfo | undefined, code: number): void;
}

export const noAudit: RequestAudit = {
  begin: (exchange) => exchange,
  impersonated: () => {},
  authorized: () => {},
  answered: () => {},
  completed: () => {},
};

interface Begun {
  readonly exchange: Exchange;
  readonly info: RequestInfo;
  readonly user: UserInfo;
  readonly decision: AuditDecision;
}

export function requestAudit(auditId: string, { options, clock, logger, events }: AuditParts): RequestAudit {
  const received = clock.now();
  const annotations: Record<string, string> = {};
  let begun: Begun | undefined;
  let impersonated: UserInfo | undefined;
  let requestBody: AuditBody | undefined;
  let responseBody: AuditBody | undefined;
  let failure: object = {};

  const record = (stage: AuditStage, code?: number): void => {
    if (begun === undefined || begun.decision.level === 'None' || begun.decision.omitStages.has(stage)) return;
    const { exchange, info, user, decision } = begun;
    const event = {
      kind: 'Event',
      apiVersion: 'audit.k8s.io/v1',
      level: decision.level,
      auditID: auditId,
      stage,
      requestURI: requestUri(exchange),
      verb: info.verb,
      user: userOf(user),
      ...(impersonated !== undefined && { impersonatedUser: userOf(impersonated) }),
      sourceIPs: sourcesOf(exchange),
      userAgent: exchange.header('user-agent') ?? '',
      ...(info.resourceRequest && { objectRef: objectRefOf(info) }),
      ...(code !== undefined && { responseStatus: { metadata: {}, ...failure, code } }),
      requestReceivedTimestamp: microTime(received),
      stageTimestamp: microTime(clock.now()),
      ...(Object.keys(annotations).length > 0 && { annotations }),
    };
    const bodies = stage === 'RequestReceived' ? '' : `${member('requestObject', requestBody)}${member('responseObject', responseBody)}`;
    events.add({});
    try {
      options.write(`${JSON.stringify(event).slice(0, -1)}${bodies}}\n`);
    } catch (error) {
      logger.error('an audit event could not be written', { auditId, error });
    }
  };

  return {
    begin(exchange, info, user) {
      const decision = options.policy.decide(info, user);
      begun = { exchange, info, user, decision };
      record('RequestReceived');
      if (decision.level !== 'Request' && decision.level !== 'RequestResponse') return exchange;
      return {
        ...exchange,
        readBody: async (limit, signal) => {
          const bytes = await exchange.readBody(limit, signal);
          requestBody = jsonBody(bytes, exchange.header('content-type'));
          return bytes;
        },
      };
    },
    impersonated: (user) => void (impersonated = user),
    authorized(decision, reason) {
      annotations['authorization.k8s.io/decision'] = decision;
      annotations['authorization.k8s.io/reason'] = reason;
    },
    answered(reply, longRunning) {
      failure = failureOf(reply);
      if (longRunning) record('ResponseStarted', reply.code);
      if (begun?.decision.level === 'RequestResponse') responseBody = replyBody(reply);
    },
    completed(exchange, known, code) {
      const info = known ?? nonResourceRequest(exchange.method, exchange.path);
      begun ??= { exchange, info, user: anonymous, decision: options.policy.decide(info, anonymous) };
      record('ResponseComplete', code);
    },
  };
}

function member(name: string, body: AuditBody | undefined): string {
  return body === undefined ? '' : `,${JSON.stringify(name)}:${body.json}`;
}

function userOf({ name, uid, groups, extra }: UserInfo): object {
  return { username: name, ...(uid !== undefined && { uid }), groups, ...(extra !== undefined && { extra }) };
}

function sourcesOf(exchange: Exchange): readonly string[] {
  const forwarded = exchange
    .headerValues('x-forwarded-for')
    .flatMap((value) => value.split(','))
    .map((address) => address.trim());
  return [...forwarded.filter((address) => address !== ''), exchange.remoteAddress];
}

function objectRefOf({ resource, namespace, name, group, version, subresource }: RequestInfo): object {
  return {
    resource,
    ...(namespace !== '' && { namespace }),
    ...(name !== '' && { name }),
    ...(group !== '' && { apiGroup: group }),
    apiVersion: version,
    ...(subresource !== '' && { subresource }),
  };
}

/** What a Status says beyond its code. */
function failureOf({ code, body }: Reply): object {
  if (code < 400 || body.kind !== 'bytes') return {};
  try {
    const { kind, status, reason, message } = JSON.parse(Buffer.from(body.bytes).toString()) as Readonly<Record<string, unknown>>;
    return kind === 'Status' ? { status, reason, message } : {};
  } catch {
    return {};
  }
}

function microTime(ms: number): string {
  return new Date(ms).toISOString().replace('Z', '000Z');
}
