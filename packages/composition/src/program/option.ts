import { Option } from 'commander';

/** An option of a command line, as data. */
export interface OptionDefinition {
  /** As commander writes them: `-f, --filename <file>`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly defaultValue?: string;
  readonly required?: true;
  /** May be given several times; its value is an array then and also when it is given once. */
  readonly repeatable?: true;
}

/** Values of options by their camelCase name; absent when not given and without default. */
export type OptionValues = Readonly<Record<string, unknown>>;

export function optionFrom(definition: OptionDefinition): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.choices !== undefined) option.choices(definition.choices);
  if (definition.defaultValue !== undefined) option.default(definition.defaultValue);
  if (definition.required === true) option.makeOptionMandatory();
  if (definition.repeatable === true)
    option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  return option;
}
