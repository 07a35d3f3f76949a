import { EvidenceError } from '../evidence/untrusted.ts';

/** Largest armored block that is read, characters. */
const armorLimit = 4 * 1024 * 1024;

/** Decodes the first ASCII armor with this label (RFC 9580, section 6). @throws EvidenceError */
export function dearmor(text: string, label: string): Buffer {
  if (text.length > armorLimit) throw new EvidenceError('the OpenPGP block is too large');
  const lines = text.split(/\r?\n/).map((line) => line.trimEnd());
  const begin = lines.indexOf(`-----BEGIN PGP ${label}-----`);
  const end = lines.indexOf(`-----END PGP ${label}-----`, begin);
  if (begin === -1 || end === -1) throw new EvidenceError(`there is no OpenPGP block ${label}`);
  const inside = lines.slice(begin + 1, end);
  const blank = inside.indexOf('');
  if (blank === -1 || !inside.slice(0, blank).every((line) => /^[A-Za-z]+: /.test(line)))
    throw new EvidenceError(`the OpenPGP block ${label} is malformed`);
  const body = inside.slice(blank + 1);
  const checksum = body.at(-1)?.startsWith('=') === true ? body.pop() : undefined;
  const encoded = body.join('');
  const bytes = Buffer.from(encoded, 'base64');
  if (encoded === '' || bytes.toString('base64') !== encoded) throw new EvidenceError(`the OpenPGP block ${label} is not base64`);
  if (checksum !== undefined && checksum !== `=${crc24(bytes).toString('base64')}`)
    throw new EvidenceError(`the OpenPGP block ${label} is damaged: its checksum does not match`);
  return bytes;
}

/** RFC 9580, section 6.1.1. */
function crc24(bytes: Buffer): Buffer {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit += 1) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return Buffer.from([(crc >> 16) & 0xff, (crc >> 8) & 0xff, crc & 0xff]);
}
