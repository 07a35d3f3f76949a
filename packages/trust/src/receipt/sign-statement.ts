import { preAuthenticationEncoding, statementPayloadType } from '../dsse/envelope.ts';
import type { SigningKey } from '../keys/signing-key.ts';

/** The media type of the bundles that are written here: what cosign 3 writes and reads. */
export const writtenBundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

/** Signs a statement into a Sigstore bundle (DSSE envelope, key named by its hash, no log entry). */
export function signStatement(statement: Buffer, key: SigningKey): Buffer {
  const signature = key.sign(preAuthenticationEncoding(statementPayloadType, statement));
  const bundle = {
    mediaType: writtenBundleType,
    verificationMaterial: { publicKey: { hint: key.publicKey.id.replace(/^SHA256:/, '') }, tlogEntries: [] },
    dsseEnvelope: {
      payload: statement.toString('base64'),
      payloadType: statementPayloadType,
      signatures: [{ sig: signature.toString('base64') }],
    },
  };
  return Buffer.from(JSON.stringify(bundle));
}
