import { ArcError } from '@arc/kernel';
import type { Rewritten } from '@arc/transfer';
import type { Check } from '@arc/trust';

/** One file that was delivered, byte for byte as its source had it. */
interface DeliveredFile {
  readonly name: string;
  readonly digest: string;
  readonly size: number;
  /** Where it is, in a place that has paths; its name when left out. */
  readonly path?: string;
}

/** An image that a chart names, as it is at the destination. */
export interface DeliveredImage {
  readonly source: string;
  readonly repository: string;
  readonly tags: readonly string[];
  readonly digest: string;
}

/** Where a delivery went; `file` is every place that has paths: a directory, a bucket, a web server. */
type DeliveryPlace =
  | { readonly kind: 'oci'; readonly repository: string; readonly tags: readonly string[] }
  | { readonly kind: 'file'; readonly paths: readonly string[] };

/** What `blob-copy` and `helm-copy` leave behind, as the workflow's output `arc-receipt`. */
export interface DeliveryReceipt {
  readonly schemaVersion: 1;
  readonly kind: 'blob-copy' | 'helm-copy';
  readonly source: { readonly reference: string; readonly digest: string; readonly version?: string };
  /** `digest` is that of the manifest in a registry, of the first file elsewhere. */
  readonly destination: { readonly references: readonly string[]; readonly digest: string; readonly place: DeliveryPlace };
  readonly files: readonly DeliveredFile[];
  readonly checks: readonly Check[];
  /** The verification policy by its SHA-256, and what it was asked about; when there was one. */
  readonly policy?: { readonly digest: string; readonly source: string };
  /** What has another digest than at the source, and why. */
  readonly mapping?: readonly Rewritten[];
  /** Images that came along with a chart. */
  readonly images?: readonly DeliveredImage[];
  /** What stood at the destination already, was different, and was left alone. */
  readonly kept: readonly { readonly reference: string; readonly digest: string }[];
  readonly dryRun: boolean;
  /** Bytes of blobs or files: sent, and of the whole delivery. */
  readonly bytes: { readonly copied: number; readonly total: number };
  readonly warnings: readonly string[];
  /** RFC 3339 */
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** @throws ArcError `InvalidConfiguration` */
export function readDeliveryReceipt(json: string | undefined): DeliveryReceipt {
  try {
    const receipt = JSON.parse(json ?? '') as Partial<DeliveryReceipt> | null;
    const place = receipt?.destination?.place;
    const complete = typeof receipt?.destination?.digest === 'string' && Array.isArray(receipt.files) && Array.isArray(receipt.kept);
    const placed = place?.kind === 'oci' ? Array.isArray(place.tags) : place?.kind === 'file' && Array.isArray(place.paths);
    if (complete && placed && receipt?.schemaVersion === 1) return receipt as DeliveryReceipt;
  } catch {
    // Said below.
  }
  throw new ArcError('InvalidConfiguration', 'ARC_RECEIPT_JSON is not the receipt of a delivery', {
    hint: 'Pass the output parameter arc-receipt of the transfer step.',
  });
}
