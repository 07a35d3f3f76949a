import type { TestServer } from '../test-server.ts';
import { type FuzzRequest, fuzzRequest } from './fuzz-request.ts';
import { seededRandom } from './random.ts';
import { type FuzzAnswer, fuzzSender } from './send.ts';

interface FuzzFailure {
  /** The number of the request, counted from 0: the same seed gives the same request. */
  readonly index: number;
  readonly request: FuzzRequest;
  /** The code and the answer, or why there was none. */
  readonly answer: string;
}

export interface FuzzReport {
  /** How many were sent. */
  readonly requests: number;
  /** How often each code was answered, by intent; see `FuzzAnswer`. */
  readonly codes: ReadonlyMap<string, ReadonlyMap<number, number>>;
  /** Answers of 500 and above, but for those that Kubernetes gives, too. */
  readonly failures: readonly FuzzFailure[];
}

export interface FuzzOptions {
  readonly seed: number;
  readonly requests: number;
  /** Requests under way at once; default 16. */
  readonly parallel?: number;
  /** Ends the run before all have been sent. */
  readonly signal?: AbortSignal;
}

/**
 * What Kubernetes answers with 500, too, though it is the client's mistake: a configuration to apply that does not fit the schema
 * (wire contract 5.2; kubernetes/kubernetes#139253 asks for 400), and the scale of a custom resource that has no replicas.
 */
function isKubernetesOwn({ method, path, headers }: FuzzRequest, text: string): boolean {
  if (method === 'PATCH' && headers['content-type']?.startsWith('application/apply-patch+yaml') === true) {
    return text.includes('"message":"failed to create typed patch object');
  }
  return path.includes('/scale') && text.includes('"message":"Internal error occurred: the spec replicas field');
}

/** Throws seeded requests at a server as its administrator. Rejects when the server no longer answers. */
export async function fuzzServer(server: TestServer, { seed, requests, parallel = 16, signal }: FuzzOptions): Promise<FuzzReport> {
  const random = seededRandom(seed);
  const codes = new Map<string, Map<number, number>>();
  const failures: FuzzFailure[] = [];
  let sent = 0;
  {
    using sender = fuzzSender(server);
    const worker = async (): Promise<void> => {
      while (sent < requests && signal?.aborted !== true) {
        const index = sent++;
        const request = fuzzRequest(random);
        const answer = await sender.send(request);
        const ofIntent = codes.get(request.intent) ?? new Map<number, number>();
        codes.set(request.intent, ofIntent.set(answer.code, (ofIntent.get(answer.code) ?? 0) + 1));
        if (isFailure(request, answer)) failures.push({ index, request, answer: `${answer.code} ${answer.text.slice(0, 500)}` });
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
  }
  const { code } = await server.admin.get('/readyz');
  if (code !== 200) throw new Error(`the server answers ${code} on /readyz afterwards`);
  return { requests: sent, codes, failures };
}

function isFailure(request: FuzzRequest, { code, text }: FuzzAnswer): boolean {
  // Who asks for an answer within nanoseconds gets none.
  if (code === 504 && request.path.includes('timeout=')) return false;
  return code >= 500 && !(code === 500 && isKubernetesOwn(request, text));
}
