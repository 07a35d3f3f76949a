import { exitCodes } from '@arc/cli-kit';
import { commands, globalOptions } from '../../apps/arcctl/src/command-table.ts';
import type { CommandDefinition } from '../../apps/arcctl/src/command.ts';
import { optionTable } from './option-table.ts';
import { codeList, page, prose, table } from './page.ts';
import type { ReferencePage } from './page.ts';

/** The commands of arcctl, from the table that arcctl itself is built from. */
export function arcctlPage(): ReferencePage {
  return page('arcctl.md', [
    '# arcctl',
    'In the repository the program is `npm run --silent arcctl --`, or `node apps/arcctl/bin/arcctl.mjs` on Node >= 24.15.',
    table(
      ['command', 'what it does'],
      commands.map((command) => [`[${nameOf(command)}](#${nameOf(command).replaceAll(' ', '-')})`, prose(command.summary)]),
    ),
    ...commands.flatMap(commandSection),
    '## Options of every command',
    optionTable(globalOptions),
    `\`-h, --help\` shows the help of a command. Where a command has an option of the same name, that one is meant. The options that choose a server mean nothing to commands that talk to none: ${codeList(commands.filter(({ offline }) => offline === true).map(nameOf))}.`,
    '## Exit codes',
    'They never change their meaning.',
    table(
      ['code', 'meaning'],
      Object.entries(exitCodes).map(([name, value]) => [String(value), words(name)]),
    ),
  ]);
}

function nameOf({ path }: CommandDefinition): string {
  return `arcctl ${path.join(' ')}`;
}

function commandSection(command: CommandDefinition): string[] {
  const { summary, options = [], examples = [] } = command;
  const required = options.filter((option) => option.required === true).map(({ flags }) => flags.split(/,\s*/)[0]?.split(' ')[0] ?? '');
  const values = options.filter((option) => option.required === true).map(({ flags }) => /<[^>]+>/.exec(flags)?.[0] ?? '');
  const mandatory = required.map((flag, index) => ` ${flag} ${values[index] ?? ''}`.trimEnd()).join('');
  const usage = `${nameOf(command)}${mandatory}${options.length > required.length ? ' [options]' : ''}${command.arguments === undefined ? '' : ` ${command.arguments}`}`;
  return [
    `## ${nameOf(command)}`,
    `${prose(summary)}.`,
    `\`\`\`\n${usage}\n\`\`\``,
    optionTable(options),
    examples.length === 0 ? '' : `Examples:\n\n\`\`\`\n${examples.join('\n')}\n\`\`\``,
  ];
}

/** `orderFailed` as `order failed`. */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
