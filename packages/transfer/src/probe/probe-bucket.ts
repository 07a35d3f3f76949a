import { type Clock, messageOf } from '@arc/kernel';
import { bucketAccess } from '../credentials/s3-secret.ts';
import { type BucketLocation, inRegion, objectURL, parseBucketURL } from '../s3/bucket-location.ts';
import { encodeQuery, type S3Credentials, signV4 } from '../s3/signature-v4.ts';
import { childText, parseXml } from '../s3/xml.ts';
import { type Answer, ProbeFailure } from './exchange.ts';
import { no, type ProbeFinding, type ProbeResult, unknown, yes } from './finding.ts';

export interface BucketProbeTarget {
  readonly remoteURL: string;
  /** A key of the Secret; absent when there is no Secret. */
  readonly secretValue?: ((key: string) => string | undefined) | undefined;
}

/** One GET; throws ProbeFailure. */
export type AskBucket = (url: URL, headers: Readonly<Record<string, string>>) => Promise<Answer>;

const refused: ReadonlySet<string> = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
  'ExpiredToken',
  'TokenRefreshRequired',
  'InvalidSecurity',
]);

/**
 * Asks a bucket for a listing of nothing: without a signature, then with one. A signature gives the secret key away to nobody,
 * so it is sent over plain http, too; a session token is not. Throws ProbeFailure when nobody answers.
 */
export async function probeBucket(target: BucketProbeTarget, ask: AskBucket, clock: Clock): Promise<ProbeResult> {
  let location: BucketLocation;
  try {
    location = parseBucketURL(target.remoteURL);
  } catch (error) {
    return { reachable: no('InvalidURL', messageOf(error)), authenticated: unknown('InvalidURL', 'it could not be asked') };
  }
  const answer = await ask(listing(location), {});
  const reachable = reachableBy(answer);
  const { secretValue } = target;
  if (secretValue === undefined) return { reachable, authenticated: unknown('NoCredentials', 'it has no credentials') };
  let found: ReturnType<typeof bucketAccess>;
  try {
    found = bucketAccess(secretValue, 'its Secret');
  } catch (error) {
    return { reachable, authenticated: unknown('UnsupportedAuthScheme', messageOf(error)) };
  }
  const { access, region } = found;
  if (access === undefined) return { reachable, authenticated: unknown('UnsupportedAuthScheme', 'its Secret has no access key') };
  if (access.sessionToken !== undefined && location.origin.protocol !== 'https:')
    return { reachable, authenticated: unknown('Inconclusive', 'a session token is not sent over plain http') };
  try {
    const signed = await askSigned(location, region ?? location.region ?? 'us-east-1', { access, ask, clock });
    const code = codeOf(signed);
    if (code === 'NoSuchBucket')
      return { reachable: unknown('NotFound', 'it has no such bucket'), authenticated: authenticatedBy(signed, code) };
    return { reachable, authenticated: authenticatedBy(signed, code) };
  } catch (error) {
    const message = error instanceof ProbeFailure ? error.message : 'the request failed';
    return { reachable, authenticated: unknown('Inconclusive', `the credentials could not be tried: ${message}`) };
  }
}

async function askSigned(
  location: BucketLocation,
  region: string,
  context: { readonly access: S3Credentials; readonly ask: AskBucket; readonly clock: Clock; readonly corrected?: boolean },
): Promise<Answer> {
  const { access, ask, clock, corrected = false } = context;
  const url = listing(inRegion(location, region));
  const answer = await ask(url, signV4({ method: 'GET', url, headers: {} }, access, { region, now: clock.now() }));
  const said = answer.region !== '' ? answer.region : regionOf(answer);
  if (corrected || said === region || !/^[a-z0-9-]{1,40}$/.test(said)) return answer;
  return askSigned(location, said, { ...context, corrected: true });
}

function reachableBy(answer: Answer): ProbeFinding {
  const { status } = answer;
  if (status === 404)
    return unknown('NotFound', codeOf(answer) === 'NoSuchBucket' ? 'it has no such bucket' : 'it answers, but 404 Not Found');
  if (status >= 500) return unknown('ServerError', `it answers ${status}`);
  return yes('Reachable', `it answers ${status}`);
}

function authenticatedBy({ status }: Answer, code: string): ProbeFinding {
  if (status >= 200 && status < 300) return yes('Authenticated', 'it accepts the access key');
  if (refused.has(code)) return no('Unauthorized', `it refuses the access key (${code})`);
  if (code === 'AccessDenied') return yes('Authenticated', 'it knows the access key, which may not list the bucket');
  if (code === 'NoSuchBucket') return yes('Authenticated', 'it knows the access key');
  if (code === 'RequestTimeTooSkewed') return unknown('Inconclusive', 'its clock and that of this server are more than 15 minutes apart');
  return unknown('Inconclusive', `it answers ${status} to a signed request`);
}

function listing(location: BucketLocation): URL {
  return objectURL(location, undefined, encodeQuery({ 'list-type': '2', 'max-keys': '1', prefix: location.prefix }));
}

/** Only codes of S3, which are single words: a status is read by many. */
function codeOf({ body }: Answer): string {
  const code = element(body, 'Code');
  return /^[A-Za-z]{1,60}$/.test(code) ? code : '';
}

function regionOf({ body }: Answer): string {
  return element(body, 'Region');
}

function element(body: string, name: string): string {
  if (!/^\s*<(?:\?xml|Error)/.test(body)) return '';
  try {
    return childText(parseXml(body, 'probe'), name);
  } catch {
    return '';
  }
}
