import { fileURLToPath } from 'node:url';

const workerProgram = fileURLToPath(import.meta.resolve('@arc/app-worker/bin/arc-worker.mjs'));

/**
 * Which local program stands for which image, by the image's name without tag. `arc-worker` in a template means the
 * worker beside this program, run by the same Node; other images find their commands on the PATH.
 */
export const localImages = {
  'ghcr.io/opendefensecloud/arc-worker': { command: [process.execPath, workerProgram], program: 'arc-worker' },
} as const;
