import { type Digest, isDigest } from '../digest/digest.ts';
import { TransferError } from '../transfer-error.ts';

/** Largest file of checksums that is read, bytes. */
export const checksumsLimit = 4 * 1024 * 1024;

/**
 * The digest that a file of checksums gives for `name`, in the formats of sha256sum and sha512sum (`<hex>  name`,
 * `<hex> *name`), of BSD (`SHA256 (name) = <hex>`), or as the bare digest of one file. Names may have directories before
 * them. Weaker algorithms prove nothing and are refused.
 *
 * @throws TransferError `InvalidDigest` when there is none, or two that differ
 */
export function digestFromChecksums(text: string, name: string, where: string): Digest {
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const entries = lines.flatMap((line) => parseLine(line, lines.length === 1) ?? []);
  const matching = entries.filter(({ file }) => file === undefined || file === name || file.endsWith(`/${name}`));
  const digests = new Set(matching.flatMap(({ digest }) => digest ?? []));
  const strongest = [...digests].filter((digest) => digest.startsWith('sha256:'));
  const [found] = strongest.length > 0 ? strongest : digests;
  if (found === undefined) {
    throw new TransferError('InvalidDigest', `${where} has no sha256 or sha512 checksum of ${name}`, {
      hint: 'Name another file of checksums, or write the digest itself into spec.digest.',
    });
  }
  if (strongest.length > 1 || (strongest.length === 0 && digests.size > 1))
    throw new TransferError('InvalidDigest', `${where} has two different checksums of ${name}`);
  return found;
}

interface Entry {
  /** Undefined when the algorithm is not one that is accepted. */
  readonly digest: Digest | undefined;
  /** Undefined when the line names no file. */
  readonly file: string | undefined;
}

function parseLine(line: string, isOnly: boolean): Entry | undefined {
  const bsd = /^(\w+) ?\((.+)\) ?= ?([0-9a-f]+)$/i.exec(line);
  if (bsd !== null) return { digest: digestFrom(bsd[3] ?? ''), file: clean(bsd[2] ?? '') };
  const gnu = /^\\?(?:sha\d+:)?([0-9a-f]{32,128})\s+\*?(.+)$/i.exec(line);
  if (gnu !== null) return { digest: digestFrom(gnu[1] ?? ''), file: clean(gnu[2] ?? '') };
  const bare = /^(?:sha\d+:)?([0-9a-f]{32,128})$/i.exec(line);
  return bare === null || !isOnly ? undefined : { digest: digestFrom(bare[1] ?? ''), file: undefined };
}

function digestFrom(hex: string): Digest | undefined {
  const text = `${hex.length === 128 ? 'sha512' : 'sha256'}:${hex.toLowerCase()}`;
  return isDigest(text) ? text : undefined;
}

function clean(file: string): string {
  return file.replace(/^\.\//, '');
}
