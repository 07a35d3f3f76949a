import type { CopyOrigin } from '@arc/transfer';
import type { Bucket } from '@arc/transfer/s3';
import { connectionOptions } from '../artifact-sides.ts';
import type { SideEnvironment, WorkerEnvironment } from '../environment.ts';

/** Opens the bucket of one side. Loaded when there is one: a step starts in the time of what it needs. @throws TransferError */
export async function openBucket(
  origin: CopyOrigin,
  side: SideEnvironment,
  environment: WorkerEnvironment,
  write: (line: string) => void,
): Promise<Bucket> {
  const { Bucket, parseBucketURL, readBucketSecret } = await import('@arc/transfer/s3');
  const { access, region, tls } = await readBucketSecret(side.secretDirectory);
  const options = await connectionOptions(origin, side, environment, { tls, log: write });
  return new Bucket(parseBucketURL(side.url), { ...options, access, region });
}
