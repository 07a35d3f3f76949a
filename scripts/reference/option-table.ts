import type { OptionDefinition } from '@arc/composition/program';
import { code, codeList, prose, table } from './page.ts';

export function optionTable(options: readonly OptionDefinition[]): string {
  return table(
    ['option', 'meaning', 'default'],
    options.map(({ flags, description, choices, defaultValue, required }) => [
      code(flags),
      `${prose(description)}${choices === undefined || choices.every((choice) => description.includes(choice)) ? '' : `: ${codeList(choices)}`}`,
      required === true ? 'required' : code(defaultValue ?? ''),
    ]),
  );
}
