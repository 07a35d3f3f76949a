import process from 'node:process';
import { ArcError, messageOf } from '@arc/kernel';
import { version } from './version.ts';
import { readEnvironment, type WorkerEnvironment } from './environment.ts';

type Command = (environment: WorkerEnvironment, write: (line: string) => void, signal: AbortSignal) => Promise<void>;

/** Imported when called: a step starts in the time of what it needs. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  'oci-copy': async () => (await import('./oci-copy.ts')).ociCopy,
  'oci-fetch': async () => (await import('./scan/oci-fetch.ts')).ociFetch,
  'oci-push': async () => (await import('./scan/oci-push.ts')).ociPush,
  'oci-verify': async () => (await import('./oci-verify.ts')).ociVerify,
  'blob-copy': async () => (await import('./blob-copy.ts')).blobCopy,
  'blob-fetch': async () => (await import('./scan/blob-fetch.ts')).blobFetch,
  'blob-push': async () => (await import('./scan/blob-push.ts')).blobPush,
  'blob-verify': async () => (await import('./delivery/verify-delivery.ts')).verifyDelivery,
  // What the two were called when they knew web servers only; templates of that time go on.
  'http-copy': async () => (await import('./blob-copy.ts')).blobCopy,
  'http-verify': async () => (await import('./delivery/verify-delivery.ts')).verifyDelivery,
  'helm-copy': async () => (await import('./helm-copy.ts')).helmCopy,
  'helm-verify': async () => (await import('./delivery/verify-delivery.ts')).verifyDelivery,
};

const exitCodes: Readonly<Record<string, number>> = { SIGINT: 130, SIGTERM: 143 };

/** Runs the subcommand in argv; ends with exit code 0, 1 (failed), 2 (wrong call) or 128 + signal. */
export async function main(): Promise<void> {
  const [name = '', ...rest] = process.argv.slice(2);
  if (name === 'version' || name === '--version') {
    process.stdout.write(`arc-worker ${version}\n`);
    return;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined || rest.length > 0) {
    process.stderr.write(
      `usage: arc-worker ${Object.keys(commands).join(' | ')} | version\nEverything else is told by environment variables.\n`,
    );
    process.exitCode = name === '--help' ? 0 : 2;
    return;
  }
  const stopped = new AbortController();
  let received: string | undefined;
  for (const signal of Object.keys(exitCodes)) {
    process.once(signal, () => {
      received = signal;
      stopped.abort(new ArcError('Stopped', `stopped by ${signal}; nothing was tagged at the destination`));
    });
  }
  try {
    const run = await command();
    stopped.signal.throwIfAborted();
    await run(readEnvironment(process.env), (line) => void process.stdout.write(`${line}\n`), stopped.signal);
  } catch (error) {
    process.stderr.write(`${failureLine(error)}\n`);
    process.exitCode = received === undefined ? 1 : (exitCodes[received] ?? 1);
  }
}

/** The last line of a failed step: side, operation, reference, cause and what to do, all in one. */
function failureLine(error: unknown): string {
  const message = messageOf(error).replace(/\s+/g, ' ').trim();
  const hint = error instanceof ArcError && error.hint !== undefined ? ` ${error.hint}` : '';
  return `error: ${message}${/[.!?]$/.test(message) ? '' : '.'}${hint}`;
}
