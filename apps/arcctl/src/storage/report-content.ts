import { formatBytes } from '@arc/cli-kit';
import type { OutputStream } from '@arc/cli-kit';

/** What every one of these commands ends with: it is easily forgotten. */
export const dataDirectoryNote =
  'The data directory of arcctl up (certificates, pki/digest.key, steps and their logs) is not part of it: keep it, and back it up by itself.';

/** `Copied 12 objects, 34 kB` and a line for each resource. */
export function reportContent(
  output: OutputStream,
  done: string,
  content: { readonly objects: number; readonly bytes: number; readonly resources: Readonly<Record<string, number>> },
): void {
  output.write(`${done} ${content.objects} objects, ${formatBytes(content.bytes)}\n`);
  for (const [resource, count] of Object.entries(content.resources)) output.write(`${String(count).padStart(9)}  ${resource}\n`);
}
