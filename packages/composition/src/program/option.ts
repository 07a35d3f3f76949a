import { Option } from 'commander';

/** An option of a command line, as data. */
export interface OptionDefinition {
  /** As commander writes them: `-f, --filename <file>`. */
  readonly flags: string;
  readonly description: string;
  readonly choices?: readonly string[];
  readonly defaultValue?: string;
  readonly required?: true;
}

/** Values of options by their camelCase name; absent when not given and without default. */
export type OptionValues = Readonly<Record<string, unknown>>;

export function optionFrom(definition: OptionDefinition): Option {
  const option = new Option(definition.flags, definition.description);
  if (definition.choices !== undefined) option.choices(definition.choices);
  if (definition.defaultValue !== undefined) option.default(definition.defaultValue);
  if (definition.required === true) option.makeOptionMandatory();
  return option;
}
