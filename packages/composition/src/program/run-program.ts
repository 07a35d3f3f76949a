import { exitCodeFor, exitCodes, reportError, UsageError } from '@arc/cli-kit';
import type { ExitCode, Streams } from '@arc/cli-kit';
import type { Clock } from '@arc/kernel';
import { Command, CommanderError } from 'commander';
import { optionFrom } from './option.ts';
import type { OptionDefinition, OptionValues } from './option.ts';

/** What a program gets from the process it runs in. */
export interface ProgramContext {
  readonly streams: Streams;
  /** Environment variables, as data. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Aborts on SIGINT and SIGTERM: shut down cleanly. */
  readonly signal: AbortSignal;
}

export interface ProgramInvocation extends ProgramContext {
  readonly options: OptionValues;
}

/** A program that does one thing, as data; what it does is imported only when it runs. */
export interface ProgramDefinition {
  readonly name: string;
  readonly summary: string;
  readonly version: string;
  readonly options: readonly OptionDefinition[];
  readonly examples: readonly string[];
  /** Errors are thrown; what is returned is the exit code, 0 when nothing is. */
  readonly load: () => Promise<(invocation: ProgramInvocation) => Promise<ExitCode | void>>;
}

/** Runs one command line and returns its exit code. Errors are reported on stderr, of a wrong command line as text, others as JSON as logs are. */
export async function runProgram(definition: ProgramDefinition, argv: readonly string[], context: ProgramContext): Promise<ExitCode> {
  const { streams } = context;
  let code: ExitCode = exitCodes.ok;
  const program = new Command(definition.name)
    .description(definition.summary)
    .version(definition.version)
    .allowExcessArguments(false)
    .exitOverride()
    .configureHelp({ helpWidth: Math.min(120, streams.stdout.width) })
    .configureOutput({ writeOut: (text) => streams.stdout.write(text), writeErr: () => {}, outputError: () => {} })
    .addHelpText('after', `\nExamples:\n${definition.examples.map((line) => `  ${line}`).join('\n')}`);
  for (const option of definition.options) program.addOption(optionFrom(option));
  program.action(async () => {
    const run = await definition.load();
    code = (await run({ ...context, options: program.opts() })) ?? exitCodes.ok;
  });
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    const problem = thrown instanceof CommanderError ? usageErrorOf(thrown) : thrown;
    reportError(streams.stderr, problem, { json: !(problem instanceof UsageError) });
    return exitCodeFor(problem);
  }
}

function usageErrorOf(error: CommanderError): UsageError {
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  return new UsageError(message, { hint: suggestion?.replace(/^\((.*)\)$/, '$1') ?? 'Run it with --help to see what it takes.' });
}
