import { attribute, FileDirectory, type FileStore, HttpStore, HttpTransport, parseBaseURL } from '@arc/transfer';
import { sideOptions } from '../artifact-sides.ts';
import type { WorkerEnvironment } from '../environment.ts';
import { openBucket } from './open-bucket.ts';

/** A place files are delivered to, with its connections. Disposing it closes them. */
export interface OpenStore extends Disposable {
  readonly store: FileStore;
}

/** Opens the destination endpoint as a place that files are delivered to, by its type. @throws CopyError */
export function openStore(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<OpenStore> {
  const { destination } = environment;
  return attribute('destination', 'use', 'the endpoint', signal, async (): Promise<OpenStore> => {
    const isDirectory = destination.url.startsWith('/') || destination.url.startsWith('file://');
    if (destination.type === 'file' || isDirectory) return { store: await FileDirectory.open(destination.url), [Symbol.dispose]: () => {} };
    if (destination.type === 's3') {
      const { BucketStore } = await import('@arc/transfer/s3');
      const bucket = await openBucket('destination', destination, environment, write);
      return { store: new BucketStore(bucket), [Symbol.dispose]: () => bucket[Symbol.dispose]() };
    }
    const base = parseBaseURL(destination.url);
    const options = await sideOptions('destination', destination, environment, write);
    const transport = new HttpTransport(new URL(base.origin), { ...options, preemptive: true });
    return { store: new HttpStore(transport, base), [Symbol.dispose]: () => transport[Symbol.dispose]() };
  });
}
