import { type Digest, isDigest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

/** What names content (image-spec "Content Descriptors"): its type, digest and size in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
}

/** @throws TransferError `InvalidManifest`, naming `where` */
export function readDescriptor(value: unknown, where: string): Descriptor {
  if (typeof value !== 'object' || value === null) throw invalid(where, 'is not an object');
  const { mediaType, digest, size, artifactType, annotations, platform } = value as Readonly<Record<string, unknown>>;
  if (typeof mediaType !== 'string' || mediaType === '') throw invalid(where, 'has no mediaType');
  if (typeof digest !== 'string' || !isDigest(digest)) throw invalid(where, 'has no sha256 or sha512 digest');
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) throw invalid(where, 'has no valid size');
  return {
    mediaType,
    digest,
    size,
    ...(typeof artifactType === 'string' ? { artifactType } : {}),
    ...(isStringMap(annotations) ? { annotations } : {}),
    ...(isPlatform(platform) ? { platform } : {}),
  };
}

/** `os/architecture[/variant]` */
export function formatPlatform(platform: Platform): string {
  return [platform.os, platform.architecture, platform.variant].filter((part) => part !== undefined && part !== '').join('/');
}

function isStringMap(value: unknown): value is Readonly<Record<string, string>> {
  return typeof value === 'object' && value !== null && Object.values(value).every((entry) => typeof entry === 'string');
}

function isPlatform(value: unknown): value is Platform {
  return (
    typeof value === 'object' &&
    value !== null &&
    'os' in value &&
    typeof value.os === 'string' &&
    'architecture' in value &&
    typeof value.architecture === 'string'
  );
}

function invalid(where: string, problem: string): TransferError {
  return new TransferError('InvalidManifest', `${where} ${problem}`);
}
