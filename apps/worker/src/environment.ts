import { tmpdir } from 'node:os';
import { ArcError } from '@arc/kernel';
import { proxyFromEnvironment, type ProxySelector, type ConflictPolicy, type ReferrerPolicy } from '@arc/transfer';
import type { Pairs } from './delivery/pairs.ts';

/** One side of a copy as its variables describe it. */
export interface SideEnvironment {
  /** `spec.type` of the endpoint. */
  readonly type: string;
  /** `remoteURL` of the endpoint. */
  readonly url: string;
  /** Directory of the mounted Secret; need not exist. */
  readonly secretDirectory: string;
  /** PEM file of an authority to trust besides the system's. */
  readonly caFile: string | undefined;
  /** PEM certificates of further authorities to trust. */
  readonly ca: string | undefined;
  /** The name its certificate has to have, when that is not the host of the url. */
  readonly serverName: string | undefined;
  readonly insecureSkipTlsVerify: boolean;
  /** Hosts that redirects and token services may lead to wherever they lie. */
  readonly trustedHosts: readonly string[];
  /** Set for another place than the endpoint itself: the client certificate in the Secret is not shown there. */
  readonly isElsewhere?: true;
}

export interface WorkerEnvironment {
  readonly source: SideEnvironment;
  readonly destination: SideEnvironment;
  /** The artifact's spec as JSON. */
  readonly specJSON: string;
  /** Where the receipt is written (`...-copy`). */
  readonly receiptFile: string | undefined;
  /** The receipt of the copy that is to be verified (`...-verify`). */
  readonly receiptJSON: string | undefined;
  /** The verification policy, YAML or JSON. */
  readonly policy: string | undefined;
  /** Directory of the mounted Secret with what the policy names; need not exist. */
  readonly trustDirectory: string;
  /** Directory of the mounted Secret with the key for receipts; need not exist. */
  readonly signingDirectory: string;
  /** `namespace/name` of the Workflow this step is of. */
  readonly workflow: string | undefined;
  /** Argo's progress file, `done/total`. */
  readonly progressFile: string | undefined;
  /** How the copy of an image tells what it does. */
  readonly progressFormat: 'text' | 'json';
  /** From HTTPS_PROXY, HTTP_PROXY and NO_PROXY. */
  readonly proxy: ProxySelector | undefined;
  readonly referrers: ReferrerPolicy;
  /** About layers that are marked as not to be distributed. */
  readonly foreignLayers: 'skip' | 'fail';
  /** About tags that stand for something else, when the artifact's spec does not say. */
  readonly onConflict: ConflictPolicy;
  /** Say what would be done, and do nothing. */
  readonly dryRun: boolean;
  /** Most bytes a second, the least of what the step and both endpoints allow; 0 for no limit. */
  readonly maxBytesPerSecond: number;
  /** Least bytes a second over a minute of waiting for one side; 0 for no rule. */
  readonly minBytesPerSecond: number;
  /** Blobs in flight at a time. */
  readonly concurrency: number;
  /** Largest file that is taken in, bytes; 0 for no limit. */
  readonly maxBytes: number;
  /** Registries that images named by charts may come from: by host, the address that is asked. */
  readonly imageRegistries: ReadonlyMap<string, string>;
  /** Where downloads of unknown digest are kept meanwhile. */
  readonly stagingDirectory: string;
  /** What the steps around a scan share: the artifact under `artifact`, what the scan says under `scan`. */
  readonly workDirectory: string;
  /** Which scanner looks at the artifact between fetching and pushing; undefined for none. */
  readonly scanner: string | undefined;
  /** Size of upload chunks in bytes; 0 uploads each blob in one request. */
  readonly chunkBytes: number;
}

/**
 * The variables the worker is configured by; an empty one counts as unset.
 *
 * | variable | meaning | default |
 * |---|---|---|
 * | `ARC_SRC_TYPE`, `ARC_DST_TYPE` | endpoint type: `oci`, `http`, `s3`, `helm`, `file`; see [pairs](pairs.md) | `oci` |
 * | `ARC_SRC_URL`, `ARC_DST_URL` | the endpoint's remoteURL | required |
 * | `ARC_SRC_SECRET_DIR`, `ARC_DST_SECRET_DIR` | mounted Secret | `/secrets/src`, `/secrets/dst` |
 * | `ARC_SRC_CA_FILE`, `ARC_DST_CA_FILE` | PEM authority | `ca.crt` of the Secret |
 * | `ARC_SRC_CA`, `ARC_DST_CA` | PEM authorities besides that, as text | none |
 * | `ARC_SRC_SERVER_NAME`, `ARC_DST_SERVER_NAME` | name its certificate has to have | the host of its URL |
 * | `ARC_SRC_MAX_BYTES_PER_SECOND`, `ARC_DST_MAX_BYTES_PER_SECOND` | most bytes a second from or to it | 0: no limit |
 * | `ARC_SRC_INSECURE_SKIP_TLS_VERIFY`, `ARC_DST_...` | `true` accepts any certificate | `false` |
 * | `ARC_SRC_TRUSTED_HOSTS`, `ARC_DST_...` | comma-separated hosts | none |
 * | `ARC_SPEC_JSON` | the artifact's spec | required |
 * | `ARC_RECEIPT_FILE` | receipt written here | not written |
 * | `ARC_RECEIPT_JSON` | receipt to verify against | none |
 * | `ARC_POLICY` | what must be signed by whom, YAML or JSON: [verification](../guide/verification.md) | `policy.yaml` of the next, else none |
 * | `ARC_TRUST_DIR` | mounted Secret with keys the policy names | `/secrets/trust` |
 * | `ARC_SIGNING_DIR` | mounted Secret with `signing.key` (and `passphrase`) for receipts (`...-verify`) | `/secrets/signing` |
 * | `ARC_WORKFLOW` | `namespace/name` of the Workflow, for the receipt | none |
 * | `ARC_REFERRERS` | `none`, `best-effort`, `required` | `best-effort` |
 * | `ARC_FOREIGN_LAYERS` | layers marked as not to be distributed: `skip` (with a warning), `fail` | `skip` |
 * | `ARC_ON_CONFLICT` | `fail`, `skip`, `overwrite`, unless the spec says it | `fail` |
 * | `ARC_DRY_RUN` | `true` says what would be done and does nothing | `false` |
 * | `ARC_MAX_BYTES_PER_SECOND` | most bytes a second | 0: no limit |
 * | `ARC_MIN_BYTES_PER_SECOND` | least bytes a second over a minute of waiting for one side | 0: no rule |
 * | `ARC_CONCURRENCY` | blobs in flight, 1 to 16 | 4 |
 * | `ARC_MAX_BYTES` | largest file that is taken in (`blob-copy`) | 0: no limit |
 * | `ARC_IMAGE_REGISTRIES` | comma-separated registries that images named by charts may come from: `HOST`, or `HOST=URL` for a mirror | the source's own |
 * | `ARC_STAGING_DIR` | where downloads of unknown digest are kept meanwhile | the temporary directory |
 * | `ARC_WORK_DIR` | shared by the steps around a scan (`...-fetch`, `...-push`): the artifact is under `artifact`, the scan's verdict is `scan/verdict.txt` | `/arc-work` |
 * | `ARC_SCANNER` | the scanner's name; without a verdict of it `...-push` pushes nothing | `none` |
 * | `ARC_CHUNK_BYTES` | upload in resumable chunks of this size | 0: one request |
 * | `ARC_PROGRESS` | `text`, or `json`: one object a line about a copy, with bytes, rate, what remains and each layer | `text` |
 * | `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` | proxies, as for curl; loopback is never proxied | none |
 * | `ARGO_PROGRESS_FILE` | bytes done and total written here | set by the engine |
 *
 * @throws ArcError `InvalidConfiguration` naming the variable
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): WorkerEnvironment {
  const get = (name: string): string | undefined => (env[name] === '' ? undefined : env[name]);
  return {
    source: readSide(get, 'SRC', '/secrets/src'),
    destination: readSide(get, 'DST', '/secrets/dst'),
    specJSON: required(get, 'ARC_SPEC_JSON'),
    receiptFile: get('ARC_RECEIPT_FILE'),
    receiptJSON: get('ARC_RECEIPT_JSON'),
    policy: get('ARC_POLICY'),
    trustDirectory: get('ARC_TRUST_DIR') ?? '/secrets/trust',
    signingDirectory: get('ARC_SIGNING_DIR') ?? '/secrets/signing',
    workflow: get('ARC_WORKFLOW'),
    progressFile: get('ARGO_PROGRESS_FILE'),
    progressFormat: oneOf(get, 'ARC_PROGRESS', ['text', 'json']),
    proxy: proxyFromEnvironment(env),
    referrers: oneOf(get, 'ARC_REFERRERS', ['best-effort', 'none', 'required']),
    foreignLayers: oneOf(get, 'ARC_FOREIGN_LAYERS', ['skip', 'fail']),
    onConflict: oneOf(get, 'ARC_ON_CONFLICT', ['fail', 'skip', 'overwrite']),
    dryRun: oneOf(get, 'ARC_DRY_RUN', ['false', 'true']) === 'true',
    maxBytesPerSecond: leastRate(get, ['ARC_MAX_BYTES_PER_SECOND', 'ARC_SRC_MAX_BYTES_PER_SECOND', 'ARC_DST_MAX_BYTES_PER_SECOND']),
    minBytesPerSecond: integer(get, 'ARC_MIN_BYTES_PER_SECOND', { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER }),
    concurrency: integer(get, 'ARC_CONCURRENCY', { fallback: 4, min: 1, max: 16 }),
    maxBytes: integer(get, 'ARC_MAX_BYTES', { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER }),
    imageRegistries: readRegistries(get('ARC_IMAGE_REGISTRIES') ?? ''),
    stagingDirectory: get('ARC_STAGING_DIR') ?? tmpdir(),
    workDirectory: get('ARC_WORK_DIR') ?? '/arc-work',
    scanner: get('ARC_SCANNER') === 'none' ? undefined : get('ARC_SCANNER'),
    chunkBytes: integer(get, 'ARC_CHUNK_BYTES', { fallback: 0, min: 0, max: 256 * 1024 * 1024 }),
  };
}

type Get = (name: string) => string | undefined;

function readSide(get: Get, side: 'SRC' | 'DST', secretDirectory: string): SideEnvironment {
  return {
    type: get(`ARC_${side}_TYPE`) ?? 'oci',
    url: required(get, `ARC_${side}_URL`),
    secretDirectory: get(`ARC_${side}_SECRET_DIR`) ?? secretDirectory,
    caFile: get(`ARC_${side}_CA_FILE`),
    ca: get(`ARC_${side}_CA`),
    serverName: get(`ARC_${side}_SERVER_NAME`),
    insecureSkipTlsVerify: oneOf(get, `ARC_${side}_INSECURE_SKIP_TLS_VERIFY`, ['false', 'true']) === 'true',
    trustedHosts: (get(`ARC_${side}_TRUSTED_HOSTS`) ?? '').split(',').flatMap((host) => host.trim() || []),
  };
}

/** @throws ArcError `InvalidConfiguration` when this step does not know what an endpoint is */
export function requireTypes(environment: WorkerEnvironment, known: Pairs): void {
  for (const side of ['source', 'destination'] as const) {
    const { type } = environment[side];
    if (known[side].includes(type)) continue;
    const names = known[side].map((name) => JSON.stringify(name)).join(' or ');
    throw invalid(
      `ARC_${side === 'source' ? 'SRC' : 'DST'}_TYPE`,
      `the type ${JSON.stringify(type)} cannot be copied by this step, only ${names}`,
    );
  }
}

function readRegistries(text: string): ReadonlyMap<string, string> {
  const entries = text.split(',').flatMap((entry) => entry.trim() || []);
  return new Map(
    entries.map((entry) => {
      const [host = '', ...url] = entry.split('=');
      return [host.trim().toLowerCase(), url.length === 0 ? `https://${host.trim()}` : url.join('=').trim()];
    }),
  );
}

function required(get: Get, name: string): string {
  const value = get(name);
  if (value === undefined) throw invalid(name, 'it is not set');
  return value;
}

function oneOf<const T extends string>(get: Get, name: string, values: readonly [T, ...T[]]): T {
  const text = get(name);
  if (text === undefined) return values[0];
  const value = values.find((candidate) => candidate === text);
  if (value === undefined) throw invalid(name, `${JSON.stringify(text)} is not one of ${values.join(', ')}`);
  return value;
}

function integer(get: Get, name: string, range: { readonly fallback: number; readonly min: number; readonly max: number }): number {
  const text = get(name);
  if (text === undefined) return range.fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= range.min && value <= range.max) return value;
  throw invalid(name, `${JSON.stringify(text)} is not a whole number from ${range.min} to ${range.max}`);
}

/** The least of several limits, of which 0 is none. */
function leastRate(get: Get, names: readonly string[]): number {
  const rates = names.map((name) => integer(get, name, { fallback: 0, min: 0, max: Number.MAX_SAFE_INTEGER })).filter((rate) => rate > 0);
  return rates.length === 0 ? 0 : Math.min(...rates);
}

function invalid(name: string, problem: string): ArcError {
  return new ArcError('InvalidConfiguration', `${name}: ${problem}`, { hint: 'Look at the env of the step in the workflow template.' });
}
