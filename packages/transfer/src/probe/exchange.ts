import { type Clock, codeOf, http } from '@arc/kernel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { getCACertificates, type SecureContextOptions } from 'node:tls';
import type { BoundedLookup } from './bounded-lookup.ts';
import type { DeniedAddresses } from './denied-addresses.ts';

export interface Answer {
  readonly status: number;
  /** All of WWW-Authenticate. */
  readonly challenge: string;
  /** `x-amz-bucket-region`; empty when it is not there. */
  readonly region: string;
  /** The beginning of the body, at most 1 MiB. */
  readonly body: string;
}

/** Why there was no answer, in one word and a sentence of ours. */
export class ProbeFailure extends Error {
  readonly reason: string;

  constructor(reason: string, message: string) {
    super(message);
    this.reason = reason;
  }
}

interface ExchangeOptions {
  readonly authorization: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly denied: DeniedAddresses;
  readonly lookup: BoundedLookup;
  /** PEM certificates trusted besides the system's. */
  readonly ca: readonly string[];
  /** PEM; who we are. */
  readonly identity: { readonly cert: string; readonly key: string } | undefined;
  /** The name the certificate has to have; undefined: the host of the URL. */
  readonly serverName: string | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const dialTimeoutMs = 3000;
const maxHeaderBytes = 64 * 1024;
const maxBodyBytes = 1024 * 1024;

/** One GET over a connection of its own, without redirects. Throws ProbeFailure. */
export async function exchange(url: URL, options: ExchangeOptions): Promise<Answer> {
  const { authorization, denied, lookup, clock, signal } = options;
  const host = url.hostname.replace(/^\[|\]$/g, '');
  // Of a literal address no lookup is made.
  if (isIP(host) !== 0 && denied.has(host)) throw deniedFailure();
  const common = {
    agent: false,
    signal,
    maxHeaderSize: maxHeaderBytes,
    lookup: vettedLookup(denied, lookup, signal),
    headers: {
      'user-agent': 'arc-endpoint-probe',
      accept: '*/*',
      ...(authorization !== undefined && { authorization }),
      ...options.headers,
    },
  } as const;
  let request: ClientRequest;
  try {
    request = url.protocol === 'http:' ? http.request(url, common) : httpsRequest(url, { ...common, ...tlsOptions(options) });
  } catch (error) {
    // A certificate or key that is none is noticed here.
    throw classified(error);
  }
  try {
    using _dial = watchDial(request, clock);
    const response = await answerTo(request);
    const { statusCode: status = 0, headers } = response;
    const { 'www-authenticate': challenge = '', 'x-amz-bucket-region': region = '' } = headers;
    return { status, challenge, region: String(region), body: await beginningOf(response) };
  } catch (error) {
    throw error instanceof ProbeFailure ? error : classified(error);
  } finally {
    request.destroy();
  }
}

function tlsOptions({ ca, identity, serverName }: ExchangeOptions): SecureContextOptions & { servername?: string } {
  return {
    minVersion: 'TLSv1.2',
    ...(serverName !== undefined && { servername: serverName }),
    ...(ca.length > 0 && { ca: [...getCACertificates('default'), ...ca] }),
    ...identity,
  };
}

function answerTo(request: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  request.on('response', resolve);
  request.on('error', reject);
  request.end();
  return promise;
}

function watchDial(request: ClientRequest, clock: Clock): Disposable {
  const timer = clock.after(dialTimeoutMs, () =>
    request.destroy(new ProbeFailure('Timeout', `no connection within ${dialTimeoutMs / 1000} s`)),
  );
  request.on('socket', (socket) => socket.once('connect', () => timer[Symbol.dispose]()));
  return timer;
}

async function beginningOf(response: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes >= maxBodyBytes) break;
  }
  return Buffer.concat(pieces).subarray(0, maxBodyBytes).toString('utf8');
}

/** Dials exactly what was checked, and nothing when any address of a name is denied. */
function vettedLookup(denied: DeniedAddresses, lookup: BoundedLookup, signal: AbortSignal): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, signal, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) callback(error ?? new ProbeFailure('DNSFailure', 'its name has no address'), []);
      else if (addresses.some(({ address }) => denied.has(address))) callback(deniedFailure(), []);
      else if (options.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

function deniedFailure(): ProbeFailure {
  return new ProbeFailure('TargetDenied', 'its address is one that is never probed');
}

/** Texts of the remote side and of libraries stay out: a status is read by many. */
function classified(error: unknown): ProbeFailure {
  const code = codeOf(error) ?? '';
  if (code === 'ENOTFOUND' || code.startsWith('EAI_')) return new ProbeFailure('DNSFailure', 'its name cannot be resolved');
  if (code === 'ECONNREFUSED') return new ProbeFailure('ConnectionRefused', 'it refuses connections');
  if (code === 'ETIMEDOUT') return new ProbeFailure('Timeout', 'it does not answer');
  if (/CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO|EPROTO/.test(code)) return new ProbeFailure('TLSError', `no secure connection (${code})`);
  return new ProbeFailure('ProbeFailed', `the request failed${/^[A-Z0-9_]{1,40}$/.test(code) ? ` (${code})` : ''}`);
}
