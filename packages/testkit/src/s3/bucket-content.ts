import { createHash } from 'node:crypto';

export interface StoredObject {
  readonly bytes: Buffer;
  /** With its quotes. */
  readonly etag: string;
  readonly checksum: string | undefined;
  readonly checksumType: 'FULL_OBJECT' | 'COMPOSITE';
  readonly headers: Readonly<Record<string, string>>;
}

export interface OpenUpload {
  readonly key: string;
  readonly parts: Map<number, { readonly bytes: Buffer; readonly etag: string }>;
}

/** What one bucket holds, and the uploads that nobody has completed or taken back. */
export class BucketContent {
  readonly objects = new Map<string, StoredObject>();
  readonly uploads = new Map<string, OpenUpload>();

  put(key: string, content: Buffer | string, headers: Readonly<Record<string, string>> = {}, withChecksum = true): StoredObject {
    const bytes = Buffer.from(content);
    const object: StoredObject = {
      bytes,
      etag: `"${md5(bytes)}"`,
      checksum: withChecksum ? sha256(bytes).toString('base64') : undefined,
      checksumType: 'FULL_OBJECT',
      headers,
    };
    this.objects.set(key, object);
    return object;
  }

  /** Puts the listed parts together. */
  complete(upload: OpenUpload, numbers: readonly number[]): StoredObject {
    const parts = numbers.flatMap((number) => upload.parts.get(number)?.bytes ?? []);
    const digests = Buffer.concat(parts.map((part) => createHash('md5').update(part).digest()));
    const object: StoredObject = {
      bytes: Buffer.concat(parts),
      etag: `"${md5(digests)}-${parts.length}"`,
      checksum: `${sha256(Buffer.concat(parts.map(sha256))).toString('base64')}-${parts.length}`,
      checksumType: 'COMPOSITE',
      headers: {},
    };
    this.objects.set(upload.key, object);
    return object;
  }

  /** The bytes of an object; undefined when it is not there. */
  bytes(key: string): Buffer | undefined {
    return this.objects.get(key)?.bytes;
  }

  /** In the order in which S3 lists them: by the bytes of UTF-8. */
  keys(): string[] {
    return [...this.objects.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  }
}

export function md5(bytes: Buffer): string {
  return createHash('md5').update(bytes).digest('hex');
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
