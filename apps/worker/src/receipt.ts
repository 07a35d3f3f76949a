import { ArcError } from '@arc/kernel';
import type { CopyResult, Rewritten } from '@arc/transfer';
import type { Check } from '@arc/trust';
import type { ArtifactSides } from './artifact-sides.ts';

/** What a finished copy leaves behind, as the workflow's output `arc-receipt`. Stays well below Argo's 256 KiB. */
export interface Receipt {
  readonly schemaVersion: 1;
  readonly kind: 'oci-copy';
  readonly source: { readonly reference: string; readonly digest: string; readonly mediaType: string };
  readonly destination: { readonly references: readonly string[]; readonly digest: string; readonly mediaType: string };
  /** Destination tags that stood for something else and were left alone; nothing was delivered when `references` is empty. */
  readonly kept: readonly { readonly reference: string; readonly digest: string }[];
  /** True when nothing was written and the numbers say what would be. */
  readonly dryRun: boolean;
  /** True when only some platforms were copied, so that the digests differ. */
  readonly rewritten: boolean;
  /** What has another digest than at the source, and why; nothing unless something was rewritten. */
  readonly mapping?: readonly Rewritten[];
  readonly platforms: readonly string[];
  readonly manifests: { readonly copied: number; readonly present: number };
  readonly blobs: { readonly copied: number; readonly present: number; readonly mounted: number };
  /** Bytes of blobs: sent, and of the whole artifact. */
  readonly bytes: { readonly copied: number; readonly total: number };
  /** Signatures, attestations and the like that came along. */
  readonly referrers: number;
  readonly warnings: readonly string[];
  readonly checks: readonly Check[];
  /** SHA-256 of the verification policy, when there was one. */
  readonly policy?: string;
  /** RFC 3339 */
  readonly startedAt: string;
  readonly finishedAt: string;
}

interface ReceiptFinish {
  readonly checks: readonly Check[];
  readonly policy: string | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
}

export function receiptOf(sides: ArtifactSides, result: CopyResult, finish: ReceiptFinish): Receipt {
  const { source, destination, reference } = sides;
  const at = (name: string, part: string): string => `${name}${part.includes(':') ? '@' : ':'}${part}`;
  const references = result.tags.length > 0 || result.kept.length > 0 ? result.tags : [result.destination.digest];
  return {
    schemaVersion: 1,
    kind: 'oci-copy',
    source: { reference: at(source.name, reference), digest: result.source.digest, mediaType: result.source.mediaType },
    destination: {
      references: references.map((part) => at(destination.name, part)),
      digest: result.destination.digest,
      mediaType: result.destination.mediaType,
    },
    kept: result.kept.map(({ tag, digest }) => ({ reference: at(destination.name, tag), digest })),
    dryRun: result.dryRun,
    rewritten: result.rewritten,
    ...(result.mapping.length === 0 ? {} : { mapping: result.mapping }),
    platforms: result.platforms,
    manifests: result.manifests,
    blobs: result.blobs,
    bytes: result.bytes,
    referrers: result.referrers,
    warnings: result.warnings.slice(0, 20),
    checks: finish.checks,
    ...(finish.policy === undefined ? {} : { policy: finish.policy }),
    startedAt: new Date(finish.startedAt).toISOString(),
    finishedAt: new Date(finish.finishedAt).toISOString(),
  };
}

/**
 * Reads the receipt of a copy.
 *
 * @throws ArcError `InvalidConfiguration`
 */
export function readReceipt(json: string): Receipt {
  try {
    const receipt = JSON.parse(json) as Partial<Receipt>;
    if (typeof receipt.source?.digest === 'string' && typeof receipt.destination?.digest === 'string') {
      const { kept = [], checks = [], platforms = [], startedAt = '', dryRun = false, rewritten = false } = receipt;
      return { ...(receipt as Receipt), kept, checks, platforms, startedAt, dryRun, rewritten };
    }
  } catch {
    // Said below.
  }
  throw new ArcError('InvalidConfiguration', 'ARC_RECEIPT_JSON is not the receipt of a copy', {
    hint: 'Pass the output parameter arc-receipt of the transfer step, or leave it out.',
  });
}
