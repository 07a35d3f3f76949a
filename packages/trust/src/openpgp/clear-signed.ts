import { EvidenceError } from '../evidence/untrusted.ts';
import { dearmor } from './armor.ts';
import type { SigningKey } from './keyring.ts';
import { packetTypes, readPackets } from './packets.ts';
import { readSignature, signatureTypes } from './signature.ts';

/** What was signed in clear text, and by whom. */
export interface ClearSigned {
  /** The text without the escapes; only this was signed. */
  readonly text: string;
  readonly signer: SigningKey;
}

/** Most signatures of one message that are tried. */
const signatureLimit = 8;

/**
 * Checks a message in the cleartext signature framework (RFC 9580, section 7): nothing may stand around it, its headers may only name
 * digests, and a signature of canonical text by one of `keys`, which must not have expired, must be right.
 *
 * @throws EvidenceError
 */
export function verifyClearSigned(message: Buffer, keys: readonly SigningKey[], now: number): ClearSigned {
  const lines = message.toString('utf8').split(/\r?\n/);
  while (lines.at(-1)?.trim() === '') lines.pop();
  const begin = lines.indexOf('-----BEGIN PGP SIGNATURE-----');
  if (
    lines[0] !== '-----BEGIN PGP SIGNED MESSAGE-----' ||
    begin === -1 ||
    lines.indexOf('-----END PGP SIGNATURE-----') !== lines.length - 1
  )
    throw new EvidenceError('it is not one message signed in clear text');
  const blank = lines.indexOf('');
  if (blank > begin || blank === -1 || !lines.slice(1, blank).every((line) => /^Hash: [A-Za-z0-9, -]+$/.test(line)))
    throw new EvidenceError('its headers say something that is not signed');
  const escaped = lines.slice(blank + 1, begin);
  if (escaped.some((line) => line.startsWith('-') && !line.startsWith('- '))) throw new EvidenceError('a line in it begins with a dash');
  const text = escaped.map((line) => (line.startsWith('- ') ? line.slice(2) : line));
  const signed = Buffer.from(text.map((line) => line.replace(/[ \t\r]+$/, '')).join('\r\n'));
  const packets = readPackets(dearmor(lines.slice(begin).join('\n'), 'SIGNATURE'));
  if (packets.some(({ type }) => type !== packetTypes.signature)) throw new EvidenceError('there is more than signatures beside it');
  const reasons: string[] = [];
  for (const { body } of packets.slice(0, signatureLimit)) {
    try {
      return { text: text.join('\n'), signer: verifyOne(body, signed, keys, Math.floor(now / 1000)) };
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      reasons.push(error.message);
    }
  }
  throw new EvidenceError(reasons.length === 0 ? 'it has no signature' : reasons.join('; '));
}

function verifyOne(body: Buffer, signed: Buffer, keys: readonly SigningKey[], now: number): SigningKey {
  const signature = readSignature(body);
  if (signature.type !== signatureTypes.text) throw new EvidenceError('its signature is not one of a text');
  const named = keys.filter(({ key }) => signature.issuers.some((issuer) => issuer.length >= 16 && key.fingerprint.endsWith(issuer)));
  if (named.length === 0)
    throw new EvidenceError(`it was signed by key ${signature.issuers[0] ?? 'unknown'}, which is not in the keyring, or may not sign`);
  const signer = named.find(({ key }) => signature.verify(signed, key));
  if (signer === undefined) throw new EvidenceError('its signature is not right');
  const { fingerprint, created } = signer.key;
  if (signature.created > now || signature.created < created)
    throw new EvidenceError('its signature is not of a time when it could be made');
  if (signature.lifetime > 0 && signature.created + signature.lifetime <= now) throw new EvidenceError('its signature has expired');
  if (signer.expires !== undefined && signer.expires <= now) throw new EvidenceError(`key ${fingerprint} has expired`);
  return signer;
}
