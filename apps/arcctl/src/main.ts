import { createStreams, exitCodes } from '@arc/cli-kit';
import { ArcError, systemClock } from '@arc/kernel';
import { runCli } from './run-cli.ts';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first one ends things cleanly; who insists is obeyed at once.
    if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
    interruption.abort(new ArcError('Interrupted', `interrupted by ${signal}`));
  });
}

const streams = createStreams({ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env });
streams.stdout.closed.addEventListener('abort', () =>
  interruption.abort(new ArcError('OutputClosed', 'the reader of the output went away')),
);

process.exitCode = await runCli(process.argv.slice(2), {
  streams,
  environment: process.env,
  clock: systemClock,
  signal: interruption.signal,
});
