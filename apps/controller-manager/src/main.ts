import { createStreams, exitCodes } from '@arc/cli-kit';
import { runProgram } from '@arc/composition/program';
import { ArcError, systemClock } from '@arc/kernel';
import { program } from './program.ts';

/** For what is left to be written. */
const endAfterMs = 1000;

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The first one ends things cleanly; who insists is obeyed at once.
    if (interruption.signal.aborted) process.exit(exitCodes.interrupted);
    interruption.abort(new ArcError('Interrupted', `interrupted by ${signal}`));
  });
}

const code = await runProgram(program, process.argv.slice(2), {
  streams: createStreams({ stdin: process.stdin, stdout: process.stdout, stderr: process.stderr, environment: process.env }),
  environment: process.env,
  clock: systemClock,
  signal: interruption.signal,
});
process.exitCode = code;
// Lookups of names that nobody answers for cannot be called off. The timer itself keeps no process.
systemClock.after(endAfterMs, () => process.exit(code));
