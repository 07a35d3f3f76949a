/** Contents of a tree by path; a string is UTF-8. */
export type Files = Readonly<Record<string, string | Buffer>>;

/**
 * Writes a ustar archive (POSIX.1-1988) of regular files and the directories above them: sorted, owned by root, with
 * the epoch as modification time, so that equal files give equal bytes. Paths are at most 100 bytes long.
 */
export function tar(files: Files): Buffer {
  const paths = Object.keys(files).sort();
  const directories = new Set(paths.flatMap(ancestors));
  const entries = [
    ...[...directories].map((path) => ({ path: `${path}/`, body: undefined })),
    ...paths.map((path) => ({ path, body: files[path] })),
  ];
  entries.sort((a, b) => (a.path < b.path ? -1 : 1));
  const blocks = entries.flatMap(({ path, body }) => {
    const bytes = Buffer.from(body ?? '');
    return [header(path, body === undefined ? undefined : bytes.length), bytes, Buffer.alloc(padding(bytes.length))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

function ancestors(path: string): string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function header(path: string, size: number | undefined): Buffer {
  if (Buffer.byteLength(path) > 100) throw new Error(`path too long for a ustar header: ${path}`);
  const block = Buffer.alloc(512);
  const octal = (value: number, offset: number, width: number): void =>
    void block.write(`${value.toString(8).padStart(width - 1, '0')}\0`, offset);
  block.write(path, 0);
  octal(size === undefined ? 0o755 : 0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(size ?? 0, 124, 12);
  octal(0, 136, 12);
  block.write(' '.repeat(8), 148);
  block.write(size === undefined ? '5' : '0', 156);
  block.write('ustar\u000000', 257, 'latin1');
  const checksum = block.reduce((sum, byte) => sum + byte, 0);
  block.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function padding(size: number): number {
  return (512 - (size % 512)) % 512;
}
