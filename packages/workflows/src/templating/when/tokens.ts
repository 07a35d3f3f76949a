import { WhenSyntaxError } from './when-error.ts';

export type Token =
  | { readonly kind: 'value'; readonly value: string | number | boolean; readonly text: string }
  | { readonly kind: 'operator'; readonly text: string }
  | { readonly kind: 'open' | 'close' | 'comma'; readonly text: string };

const operators = [
  '**',
  '<<',
  '>>',
  '==',
  '!=',
  '>=',
  '<=',
  '=~',
  '!~',
  '&&',
  '||',
  '??',
  '+',
  '-',
  '*',
  '/',
  '%',
  '>',
  '<',
  '!',
  '~',
  '&',
  '|',
  '^',
  '?',
  ':',
] as const;

/**
 * Splits a `when` expression as govaluate does (1.5): a bare word is letters, digits, `_` and `.` after a letter; both
 * quote styles; `[...]` is an escaped bare word; a number is everything made of digits and dots.
 *
 * @throws WhenSyntaxError
 */
export function tokenize(expression: string): readonly Token[] {
  const characters = Array.from(expression);
  const tokens: Token[] = [];
  let index = 0;
  const readWhile = (accept: (character: string) => boolean): string => {
    let text = '';
    for (let character = characters[index]; character !== undefined && accept(character); character = characters[index]) {
      text += character;
      index++;
    }
    return text;
  };
  while (index < characters.length) {
    const character = characters[index] ?? '';
    if (/\s/u.test(character)) {
      index++;
    } else if (/[0-9]/.test(character) || (character === '.' && /[0-9]/.test(characters[index + 1] ?? ''))) {
      tokens.push(numberToken(readWhile((next) => /[0-9.]/.test(next))));
    } else if (/\p{L}/u.test(character)) {
      tokens.push(wordToken(readWhile((next) => /[\p{L}\p{Nd}_.]/u.test(next))));
    } else if (character === "'" || character === '"') {
      index++;
      const text = readQuoted(characters, index);
      index = text.end;
      tokens.push({ kind: 'value', value: dateAsNumber(text.value) ?? text.value, text: text.value });
    } else if (character === '[') {
      index++;
      const text = readWhile((next) => next !== ']');
      if (characters[index] !== ']') throw new WhenSyntaxError('Unclosed parameter bracket');
      index++;
      tokens.push({ kind: 'value', value: text, text });
    } else if (character === '(' || character === ')') {
      index++;
      tokens.push({ kind: character === '(' ? 'open' : 'close', text: character });
    } else if (character === ',') {
      index++;
      tokens.push({ kind: 'comma', text: character });
    } else {
      const rest = characters.slice(index, index + 2).join('');
      const operator = operators.find((candidate) => rest.startsWith(candidate));
      if (operator === undefined) throw new WhenSyntaxError(`Invalid token: '${readWhile((next) => !/[\s\p{L}\p{Nd}'"()]/u.test(next))}'`);
      index += operator.length;
      tokens.push({ kind: 'operator', text: operator });
    }
  }
  return tokens;
}

function numberToken(text: string): Token {
  const value = Number(text);
  if (Number.isNaN(value)) throw new WhenSyntaxError(`Unable to parse numeric value '${text}' to float64`);
  return { kind: 'value', value, text };
}

function wordToken(text: string): Token {
  if (text === 'true' || text === 'false') return { kind: 'value', value: text === 'true', text };
  if (text === 'in' || text === 'IN') return { kind: 'operator', text: 'in' };
  if (text.endsWith('.')) throw new WhenSyntaxError(`Hanging accessor on token '${text}'`);
  if (text.includes('.')) {
    const hidden = text
      .split('.')
      .slice(1)
      .find((part) => !/^\p{Lu}/u.test(part));
    throw new WhenSyntaxError(
      hidden === undefined
        ? `No parameter '${text.split('.')[0]}' found`
        : `Unable to access unexported field '${hidden}' in token '${text}'`,
    );
  }
  return { kind: 'value', value: text, text };
}

/** A string ends at the next quote of either style, and a backslash takes the next character as it is. */
function readQuoted(characters: readonly string[], start: number): { readonly value: string; readonly end: number } {
  let value = '';
  for (let index = start; index < characters.length; index++) {
    const character = characters[index] ?? '';
    if (character === '\\') {
      index++;
      value += characters[index] ?? '';
    } else if (character === "'" || character === '"') {
      return { value, end: index + 1 };
    } else {
      value += character;
    }
  }
  throw new WhenSyntaxError('Unclosed string literal');
}

const dateTime = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}(?::\d{2}(?::\d{2}(?:\.\d+)?)?)?(?:Z|[+-]\d{2}:?\d{2})?)?$/;

/** govaluate turns quoted texts that look like a date into a number: seconds since the epoch. */
function dateAsNumber(text: string): number | undefined {
  if (!dateTime.test(text)) return undefined;
  const withMinutes = text.replace(' ', 'T').replace(/^(\d{4}-\d{2}-\d{2}T\d{2})(?=$|Z|[+-])/, '$1:00');
  const zoned = /T/.test(withMinutes) && !/(?:Z|[+-]\d{2}:?\d{2})$/.test(withMinutes) ? `${withMinutes}Z` : withMinutes;
  const milliseconds = Date.parse(zoned);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}
