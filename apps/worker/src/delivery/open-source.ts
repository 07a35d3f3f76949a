import {
  ArtifactFileSource,
  attribute,
  FileDirectory,
  type FileSource,
  HttpSource,
  HttpTransport,
  openEndpoint,
  parseBaseURL,
  parseEndpointURL,
} from '@arc/transfer';
import { seconds, sideOptions } from '../artifact-sides.ts';
import type { WorkerEnvironment } from '../environment.ts';
import { openBucket } from './open-bucket.ts';

/** Opens the source endpoint as a place that files come from, by its type. @throws CopyError */
export function openFileSource(environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal): Promise<FileSource> {
  const { source } = environment;
  const options = {
    maxBytes: environment.maxBytes === 0 ? undefined : environment.maxBytes,
    onResume: ({ offset, reason, delayMs }: { readonly offset: number; readonly reason: string; readonly delayMs: number }) =>
      write(`waiting   ${seconds(delayMs)}, then on from byte ${offset} (source: ${reason})`),
  };
  return attribute('source', 'use', 'the endpoint', signal, async (): Promise<FileSource> => {
    if (source.type === 's3') {
      const { BucketSource } = await import('@arc/transfer/s3');
      return new BucketSource(await openBucket('source', source, environment, write), options);
    }
    if (source.type === 'file') {
      const directory = await FileDirectory.open(source.url);
      return {
        name: directory.name,
        file: (path) => directory.file(path, options),
        list: (prefix, listing) => directory.list(prefix, listing),
        [Symbol.dispose]: () => {},
      };
    }
    const connection = await sideOptions('source', source, environment, write);
    if (source.type === 'oci') return new ArtifactFileSource(openEndpoint(parseEndpointURL(source.url), connection), options);
    const base = parseBaseURL(source.url);
    return new HttpSource(new HttpTransport(new URL(base.origin), { ...connection, preemptive: true }), base, options);
  });
}
