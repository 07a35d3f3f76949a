import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { page } from './page.ts';
import type { ReferencePage } from './page.ts';

/** The variables of the worker, from the table in the documentation of the function that reads them. */
export function workerPage(root: string): ReferencePage {
  const source = readFileSync(join(root, 'apps/worker/src/environment.ts'), 'utf8');
  const rows = source.split('\n').flatMap((line) => /^ \* (\|.*\|)$/.exec(line)?.[1] ?? []);
  if (rows.length < 3) throw new Error('apps/worker/src/environment.ts has no table of variables in its documentation any more');
  return page('worker.md', [
    '# The worker',
    '`arc-worker` (image `ghcr.io/opendefensecloud/arc-worker`) does the work in the steps of the shipped templates. Use it in your own:',
    [
      '- `arc-worker oci-copy` copies an artifact of type `oci` from the source to the destination and writes a receipt. Where there is a policy nothing is pushed before the artifact has satisfied it.',
      '- `arc-worker oci-verify` compares both sides: every manifest and blob is there, the tags stand for the expected digest. It checks the evidence that has arrived, and signs and attaches the receipt.',
      '- `arc-worker blob-copy` brings files and objects (`blob`, `s3`), `helm-copy` a chart (`helm`), [from where to where](pairs.md); see [artifact types](../guide/artifact-types.md).',
      '- `arc-worker oci-fetch` and `oci-push`, `blob-fetch` and `blob-push` do the same in two steps, with room for a scan between them: what was fetched is pushed, by its digests, and the verdict of the scan goes into the receipt.',
      '- `arc-worker blob-verify` and `helm-verify` compare the destination with the receipt of the copy. `http-copy` and `http-verify` are older names of `blob-copy` and `blob-verify`.',
      '- `arc-worker version` prints its version.',
    ].join('\n'),
    'Everything else is told by environment variables; an empty one counts as unset.',
    rows.join('\n'),
    'Exit codes: 0 done, 1 failed, 2 wrong call, 130 and 143 interrupted. The last line of a failure begins with `error:` and says which side, what was being done, the cause, and what to do.',
  ]);
}
