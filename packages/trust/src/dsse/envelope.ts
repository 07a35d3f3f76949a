import { asBase64, asObject, asText, EvidenceError, type JsonObject } from '../evidence/untrusted.ts';

/** A payload with signatures over it and its type (DSSE 1.0.2). */
export interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly signatures: readonly Buffer[];
}

/** The type of a payload that is an in-toto statement. */
export const statementPayloadType = 'application/vnd.in-toto+json';

/** Most signatures that are tried: each costs a verification. */
const signatureLimit = 16;

/** @throws EvidenceError */
export function readEnvelope(document: JsonObject): Envelope {
  const signatures = document['signatures'];
  if (!Array.isArray(signatures) || signatures.length === 0) throw new EvidenceError('the envelope has no signatures');
  if (signatures.length > signatureLimit) throw new EvidenceError(`the envelope has more than ${signatureLimit} signatures`);
  return {
    payloadType: asText(document['payloadType'], 'the payloadType of the envelope'),
    payload: asBase64(document['payload'], 'the payload of the envelope'),
    signatures: signatures.map((entry) => asBase64(asObject(entry, 'a signature of the envelope')['sig'], 'a signature of the envelope')),
  };
}

/** What is signed: the pre-authentication encoding of DSSE, which binds the payload to its type. */
export function preAuthenticationEncoding(payloadType: string, payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(payloadType)} ${payloadType} ${payload.length} `), payload]);
}
