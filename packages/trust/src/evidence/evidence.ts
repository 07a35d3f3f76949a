import type { Digest } from '@arc/transfer';
import type { Envelope } from '../dsse/envelope.ts';
import type { JsonObject } from './untrusted.ts';

/** Content that somebody signed, not yet checked. */
export interface SignedContent {
  /**
   * What it claims: `simple-signing` names a digest in cosign's payload; `statement` is an in-toto statement in an envelope;
   * `manifest` signs the bytes of the manifest themselves.
   */
  readonly form: 'simple-signing' | 'statement' | 'manifest';
  readonly payload: Buffer;
  /** The bytes the signatures are over. */
  readonly signedBytes: Buffer;
  readonly signatures: readonly Buffer[];
  readonly envelope: Envelope | undefined;
  /** The same as a Sigstore bundle with certificate, log entries and timestamps, where it came with any of them. */
  readonly bundle: JsonObject | undefined;
}

/** Something that was found beside a manifest. */
export interface Evidence {
  /** Where: `tag sha256-....sig, layer 1` or `referrer sha256:...`. */
  readonly where: string;
  /** The manifest it was found with. */
  readonly subject: Digest;
  /** Its artifact or media type, as it says itself. */
  readonly type: string;
  readonly content: SignedContent | undefined;
  /** Why there is no content that could be checked. */
  readonly problem: string | undefined;
}
