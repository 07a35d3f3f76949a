import { EvidenceError } from '../evidence/untrusted.ts';
import { dearmor } from './armor.ts';
import { type Packet, packetTypes, readPackets } from './packets.ts';
import { type PublicKey, readPublicKey } from './public-key.ts';
import { readSignature, type Signature, signatureTypes } from './signature.ts';

/** A key of a keyring that may have signed, with the times that its owner signed for it. */
export interface SigningKey {
  readonly key: PublicKey;
  /** Fingerprint of the primary key, which is what people compare. */
  readonly owner: string;
  readonly userId: string;
  /** Seconds since the epoch; undefined for never. */
  readonly expires: number | undefined;
}

/** May sign data (RFC 9580, section 5.2.3.29). */
const mayA = { sign: 0x02 } as const;

/**
 * The keys of a keyring (binary or armored) that may sign. Keys and subkeys are left out when they are revoked, of kinds that cannot be
 * checked, or not signed by their owner; a keyring without any left is refused.
 *
 * @throws EvidenceError
 */
export function readKeyring(bytes: Buffer): readonly SigningKey[] {
  const binary = bytes[0] !== undefined && bytes[0] < 0x80 ? dearmorAll(bytes.toString('latin1')) : bytes;
  const keys: SigningKey[] = [];
  const problems: string[] = [];
  for (const block of blocksOf(readPackets(binary))) {
    try {
      keys.push(...readBlock(block));
    } catch (error) {
      if (!(error instanceof EvidenceError)) throw error;
      problems.push(error.message);
    }
  }
  if (keys.length > 0) return keys;
  throw new EvidenceError(`the keyring has no key that may sign${problems.length === 0 ? '' : ` (${problems.slice(0, 3).join('; ')})`}`);
}

/** Keyrings are often several armored ones, one after the other. */
function dearmorAll(text: string): Buffer {
  const blocks = text.split(/^(?=-----BEGIN PGP PUBLIC KEY BLOCK-----)/m).filter((block) => block.startsWith('-----BEGIN'));
  return Buffer.concat(blocks.map((block) => dearmor(block, 'PUBLIC KEY BLOCK')));
}

/** Each primary key with what follows it. */
function blocksOf(packets: readonly Packet[]): Packet[][] {
  const blocks: Packet[][] = [];
  for (const packet of packets) {
    if (packet.type === packetTypes.publicKey) blocks.push([packet]);
    else blocks.at(-1)?.push(packet);
  }
  return blocks;
}

function readBlock([first, ...others]: readonly Packet[]): SigningKey[] {
  const primary = readPublicKey(first?.body ?? Buffer.alloc(0));
  const about = keyData(primary.body);
  let subject: { readonly type: number; readonly body: Buffer } = { type: packetTypes.publicKey, body: primary.body };
  let newest: Signature | undefined;
  let userId = '';
  const subkeys = new Map<Buffer, Signature[]>();
  for (const packet of others) {
    if (packet.type !== packetTypes.signature) {
      subject = packet;
      continue;
    }
    const signature = tryRead(packet.body);
    if (signature === undefined) continue;
    if (subject.type === packetTypes.publicSubkey) {
      const data = Buffer.concat([about, keyData(subject.body)]);
      if (tryVerify(signature, data, primary)) subkeys.set(subject.body, [...(subkeys.get(subject.body) ?? []), signature]);
    } else if (subject.type === packetTypes.publicKey) {
      if (!tryVerify(signature, about, primary)) continue;
      if (signature.type === signatureTypes.keyRevocation) throw new EvidenceError(`key ${primary.fingerprint} was revoked`);
      if (signature.type === signatureTypes.directKey) newest = newer(newest, signature);
    } else if (subject.type === packetTypes.userId && signatureTypes.certifications.includes(signature.type)) {
      if (!tryVerify(signature, Buffer.concat([about, userIdData(subject.body)]), primary)) continue;
      if (newer(newest, signature) === signature) userId = subject.body.toString('utf8');
      newest = newer(newest, signature);
    }
  }
  if (newest === undefined) throw new EvidenceError(`key ${primary.fingerprint} is not signed by its owner, or only with a weak digest`);
  const expires = expiryOf(primary, newest);
  const owner = { owner: primary.fingerprint, userId };
  const own = newest.flags === undefined || (newest.flags & mayA.sign) !== 0 ? [{ key: primary, expires, ...owner }] : [];
  const ofSubkeys = [...subkeys].flatMap(([body, signatures]) => {
    const subkey = readSubkey(body, signatures, primary);
    if (subkey === undefined) return [];
    const ends = [expires, subkey.expires].filter((end) => end !== undefined);
    return [{ key: subkey.key, expires: ends.length === 0 ? undefined : Math.min(...ends), ...owner }];
  });
  return [...own, ...ofSubkeys];
}

/** A subkey that signs has to have signed that it belongs to its primary key. */
function readSubkey(
  body: Buffer,
  signatures: readonly Signature[],
  primary: PublicKey,
): { readonly key: PublicKey; readonly expires: number | undefined } | undefined {
  if (signatures.some(({ type }) => type === signatureTypes.subkeyRevocation)) return undefined;
  const binding = signatures.filter(({ type }) => type === signatureTypes.subkeyBinding).reduce<Signature | undefined>(newer, undefined);
  if (binding?.flags === undefined || (binding.flags & mayA.sign) === 0) return undefined;
  const key = tryKey(body);
  if (key === undefined) return undefined;
  const data = Buffer.concat([keyData(primary.body), keyData(body)]);
  const claimed = binding.embedded.some((embedded) => {
    const back = tryRead(embedded);
    return back?.type === signatureTypes.primaryBinding && tryVerify(back, data, key);
  });
  return claimed ? { key, expires: expiryOf(key, binding) } : undefined;
}

function expiryOf(key: PublicKey, signature: Signature): number | undefined {
  return signature.keyLifetime === 0 ? undefined : key.created + signature.keyLifetime;
}

function newer(known: Signature | undefined, other: Signature): Signature {
  return known === undefined || other.created >= known.created ? other : known;
}

function keyData(body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x99, body.length >> 8, body.length & 0xff]), body]);
}

function userIdData(body: Buffer): Buffer {
  const length = Buffer.alloc(5, 0xb4);
  length.writeUInt32BE(body.length, 1);
  return Buffer.concat([length, body]);
}

/** Signatures by others, and of kinds that are not supported, are nothing to a keyring. */
function tryRead(body: Buffer): Signature | undefined {
  return orUndefined(() => readSignature(body));
}

function tryKey(body: Buffer): PublicKey | undefined {
  return orUndefined(() => readPublicKey(body));
}

function tryVerify(signature: Signature, data: Buffer, key: PublicKey): boolean {
  return orUndefined(() => signature.verify(data, key)) ?? false;
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof EvidenceError) return undefined;
    throw error;
  }
}
