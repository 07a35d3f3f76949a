import type { Answer, Exchange } from '../registry/exchange.ts';
import { type FaultyServer, startFaultyServer } from '../registry/faulty-server.ts';
import { BucketContent } from './bucket-content.ts';
import { type OperationOptions, perform, refuse } from './s3-operations.ts';
import { refusalOf, type S3User } from './signature-check.ts';

export interface S3ServerOptions extends Partial<OperationOptions> {
  /** Buckets that are there from the start; unless told `artifacts`. */
  readonly buckets?: readonly string[];
  /** Who may do everything; unless told everybody may, without a signature. */
  readonly users?: readonly S3User[];
  /** What requests have to be signed for; `us-east-1` unless told. */
  readonly region?: string;
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  readonly now?: () => number;
}

/** An S3 service on loopback that keeps objects in memory, checks signatures, and has faults. Path style. */
export interface S3Server extends FaultyServer {
  /** @throws Error for a bucket that is not there */
  bucket(name?: string): BucketContent;
}

export async function startS3Server(options: S3ServerOptions = {}): Promise<S3Server> {
  const { users, region = 'us-east-1', now = Date.now } = options;
  const buckets = new Map((options.buckets ?? ['artifacts']).map((name) => [name, new BucketContent()]));
  const operations: OperationOptions = {
    pageSize: options.pageSize ?? 1000,
    conditions: options.conditions ?? true,
    checksums: options.checksums ?? true,
  };

  const answer = (exchange: Exchange, body: Buffer): Answer => {
    const [rawPath = '/', rawQuery = ''] = (exchange.request.url ?? '/').split('?', 2);
    const refusal = users === undefined ? undefined : refusalOf(exchange.request, { rawPath, rawQuery }, { users, region, now: now() });
    if (refusal !== undefined) return refuse(refusal);
    const [, name = '', ...rest] = rawPath.split('/').map(decodeURIComponent);
    const bucket = buckets.get(name);
    if (bucket === undefined) return refuse({ status: 404, code: 'NoSuchBucket', message: 'The specified bucket does not exist' });
    return perform({ bucket, key: rest.join('/'), exchange, body, options: operations });
  };

  const server = await startFaultyServer(
    async (exchange) => {
      const body = await exchange.receiveAll(64 * 1024 * 1024);
      return body === undefined ? { status: 413 } : dated(answer(exchange, body), now());
    },
    { tls: options.tls },
  );
  const bucket = (name = 'artifacts'): BucketContent => {
    const found = buckets.get(name);
    if (found === undefined) throw new Error(`there is no bucket ${name}`);
    return found;
  };
  return { ...server, bucket };
}

function dated(answer: Answer, now: number): Answer {
  return { ...answer, headers: { date: new Date(now).toUTCString(), ...answer.headers } };
}
