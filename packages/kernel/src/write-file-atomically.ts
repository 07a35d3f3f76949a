import { rename, writeFile } from 'node:fs/promises';

/** Writes a file of mode 0600 so that readers see the old content or the new, never half of it. */
export async function writeFileAtomically(file: string, content: string): Promise<void> {
  const scratch = `${file}.${process.pid}.new`;
  await writeFile(scratch, content, { mode: 0o600, flush: true });
  await rename(scratch, file);
}
