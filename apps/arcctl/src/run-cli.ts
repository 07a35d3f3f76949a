import { didYouMean, exitCodeFor, exitCodes, reportError, UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { optionFrom } from '@arc/composition/program';
import { Command, CommanderError } from 'commander';
import type { Option } from 'commander';
import { commandGroups, commands, globalOptions } from './command-table.ts';
import type { CliContext, CommandDefinition } from './command.ts';

/** Runs one command line and returns its exit code. Errors are reported on stderr; nothing is thrown. */
export async function runCli(argv: readonly string[], context: CliContext): Promise<ExitCode> {
  const outcome: { code: ExitCode } = { code: exitCodes.ok };
  const program = buildProgram(context, outcome);
  try {
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync(argv, { from: 'user' });
    return outcome.code;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return exitCodes.ok;
    // Whoever reads `arcctl ... | head` has what they wanted.
    if (context.streams.stdout.closed.aborted) return exitCodes.ok;
    const problem = thrown instanceof CommanderError ? usageErrorFrom(thrown, argv) : thrown;
    reportError(context.streams.stderr, problem, { json: wantsJson(argv), verbose: argv.includes('-v') || argv.includes('--verbose') });
    return exitCodeFor(problem);
  }
}

function buildProgram(context: CliContext, outcome: { code: ExitCode }): Command {
  const program = new Command('arcctl')
    .description('Bring artifacts into protected zones, declared as Orders.')
    .exitOverride()
    .configureHelp({ showGlobalOptions: true, helpWidth: Math.min(100, context.streams.stdout.width) })
    .configureOutput({
      writeOut: (text) => context.streams.stdout.write(text),
      writeErr: () => {},
      outputError: () => {},
    })
    .addHelpText('after', `\nExit codes: ${describeExitCodes()}`);
  for (const option of globalOptions) program.addOption(optionFrom(option));
  for (const definition of commands) addCommand(program, definition, context, outcome);
  return program;
}

function addCommand(program: Command, definition: CommandDefinition, context: CliContext, outcome: { code: ExitCode }): void {
  const [name = '', ...rest] = definition.path.toReversed();
  const parent = rest.toReversed().reduce(childOf, program);
  const command = parent.command(definition.arguments === undefined ? name : `${name} ${definition.arguments}`);
  command.description(definition.summary).allowExcessArguments(false);
  for (const option of definition.options ?? []) command.addOption(optionFrom(option));
  command.configureHelp({ ...program.configureHelp(), visibleGlobalOptions: () => globalOptionsOf(command, definition) });
  if (definition.examples !== undefined)
    command.addHelpText('after', `\nExamples:\n${definition.examples.map((line) => `  ${line}`).join('\n')}`);
  command.action(async () => {
    const run = await definition.load();
    const options: Record<string, unknown> = command.optsWithGlobals();
    outcome.code = (await run({ ...context, args: command.args, options })) ?? exitCodes.ok;
  });
}

function childOf(parent: Command, name: string): Command {
  return parent.commands.find((command) => command.name() === name) ?? parent.command(name).description(commandGroups[name] ?? '');
}

/** Those that mean something to the command, and that it does not define itself. */
function globalOptionsOf(command: Command, { offline }: CommandDefinition): Option[] {
  const meant = globalOptions.filter(({ connection }) => connection !== true || offline !== true).map(optionFrom);
  return meant.filter(({ long }) => command.options.every((own) => own.long !== long));
}

function describeExitCodes(): string {
  const { ok, failure, usage, notFound, forbidden, conflict, timeout, orderFailed, interrupted } = exitCodes;
  return [
    `${ok} ok, ${failure} failure, ${usage} wrong usage, ${notFound} not found, ${forbidden} forbidden,`,
    `${conflict} conflict, ${timeout} timeout, ${orderFailed} the order failed, ${interrupted} interrupted`,
  ].join(' ');
}

function usageErrorFrom(error: CommanderError, argv: readonly string[]): UsageError {
  if (error.code === 'commander.help' || error.code === 'commander.helpDisplayed') {
    const group = argv.find((word) => !word.startsWith('-')) ?? '';
    const names = commands.filter(({ path }) => path.length > 1 && path[0] === group).map(({ path }) => path.join(' '));
    return new UsageError(`arcctl ${group} needs a command: ${names.join(', ')}`, { hint: `Run arcctl ${group} --help.` });
  }
  const [message = '', suggestion] = error.message.replace(/^error: /, '').split('\n');
  const known = suggestion?.replace(/^\((.*)\)$/, '$1');
  const hint = known ?? hintFor(error, argv) ?? 'Run it with --help to see what it takes.';
  return new UsageError(message, { hint });
}

function hintFor(error: CommanderError, argv: readonly string[]): string | undefined {
  if (error.code !== 'commander.unknownCommand') return undefined;
  const names = new Set(commands.map(({ path }) => path.join(' ')));
  const word = argv.find((argument) => !argument.startsWith('-')) ?? '';
  const meant = didYouMean(word, names);
  return meant === undefined ? `Commands: ${[...names].join(', ')}.` : `Did you mean arcctl ${meant}?`;
}

/** Parsing may have failed before options were known, so this looks at the words themselves. */
function wantsJson(argv: readonly string[]): boolean {
  return argv.some(
    (word, index) =>
      word === '-ojson' || word === '--output=json' || (word === 'json' && ['-o', '--output'].includes(argv[index - 1] ?? '')),
  );
}
