import type { ProgramDefinition } from '@arc/composition/program';
import { optionTable } from './option-table.ts';
import { code, page, prose } from './page.ts';
import type { ReferencePage } from './page.ts';

/** A program that does one thing, from the definition it runs by. */
export function programPage(file: string, { name, summary, options, examples }: ProgramDefinition, more: readonly string[]): ReferencePage {
  return page(file, [
    `# ${name}`,
    `${prose(summary)}. In the repository the program is ${code(`node apps/${name.replace(/^arc-/, '')}/bin/${name}.mjs`)} on Node >= 24.15.`,
    ...more,
    '## Options',
    optionTable(options),
    `\`-h, --help\` shows them, \`-V, --version\` the version.`,
    `Examples:\n\n\`\`\`\n${examples.join('\n')}\n\`\`\``,
    'Exit codes: 0 after SIGINT or SIGTERM, 2 for a wrong command line, 1 for what nobody can mend from outside. Its log is one JSON object a line on stderr.',
  ]);
}
