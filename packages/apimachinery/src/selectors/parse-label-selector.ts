import { checkRequirement } from './label-selector.ts';
import type { LabelOperator, LabelRequirement, LabelSelector } from './label-selector.ts';
import { SelectorError } from './selector-error.ts';

/**
 * Reads a label selector: comma-separated `k=v`, `k==v`, `k!=v`, `k in (a,b)`, `k notin (a)`, `k`, `!k`, `k>5`, `k<5`
 * (wire contract 2.4). Requirements come back sorted by key, as Kubernetes prints them.
 *
 * @throws SelectorError (400).
 */
export function parseLabelSelector(text: string): LabelSelector {
  const tokens = new Tokens(text);
  const requirements: LabelRequirement[] = [];
  if (tokens.peek() === end) return requirements;
  for (;;) {
    requirements.push(readRequirement(tokens));
    const next = tokens.take();
    if (next === end) break;
    if (next !== ',') throw unexpected(next, "',' or 'end of string'");
    if (!isWord(tokens.peek()) && tokens.peek() !== '!') throw unexpected(tokens.peek(), "identifier after ','");
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

const end = '';
const symbols = ['==', '!=', '=', '!', '>', '<', '(', ')', ','];

class Tokens {
  readonly #tokens: string[] = [];
  #at = 0;

  constructor(text: string) {
    for (let at = 0; at < text.length;) {
      const symbol = symbols.find((candidate) => text.startsWith(candidate, at));
      if (symbol !== undefined) {
        this.#tokens.push(symbol);
        at += symbol.length;
      } else if (isSpace(text.charAt(at))) {
        at++;
      } else {
        const start = at;
        while (at < text.length && !isSpace(text.charAt(at)) && !isSymbolStart(text.charAt(at))) at++;
        this.#tokens.push(text.slice(start, at));
      }
    }
  }

  peek(): string {
    return this.#tokens[this.#at] ?? end;
  }

  take(): string {
    const token = this.peek();
    this.#at++;
    return token;
  }
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\n';
}

function isSymbolStart(character: string): boolean {
  return '=!<>(),'.includes(character);
}

function isWord(token: string): boolean {
  return token !== end && !symbols.includes(token);
}

function readRequirement(tokens: Tokens): LabelRequirement {
  const negated = tokens.peek() === '!';
  if (negated) tokens.take();
  const key = tokens.take();
  if (!isWord(key)) throw unexpected(key, 'identifier');
  if (negated) return checked({ key, operator: 'DoesNotExist', values: [] });
  if (tokens.peek() === end || tokens.peek() === ',') return checked({ key, operator: 'Exists', values: [] });
  const sign = tokens.take();
  const operator = operators.get(sign);
  if (operator === undefined) throw unexpected(sign, 'in, notin, =, ==, !=, >, <');
  return checked({ key, operator, values: sign === 'in' || sign === 'notin' ? readSet(tokens) : [readValue(tokens)] });
}

const operators = new Map<string, LabelOperator>([
  ['=', 'In'],
  ['==', 'In'],
  ['in', 'In'],
  ['!=', 'NotIn'],
  ['notin', 'NotIn'],
  ['>', 'GreaterThan'],
  ['<', 'LessThan'],
]);

/** One value; nothing before the comma or the end is the empty value. */
function readValue(tokens: Tokens): string {
  const next = tokens.peek();
  if (next === end || next === ',') return '';
  if (!isWord(next)) throw unexpected(next, 'identifier');
  return tokens.take();
}

/** `(a,b)`: sorted, without duplicates; nothing between commas is the empty value, but `()` has no value. */
function readSet(tokens: Tokens): string[] {
  const open = tokens.take();
  if (open !== '(') throw unexpected(open, "'('");
  const values = new Set<string>();
  if (tokens.peek() === ')') {
    tokens.take();
    return [''];
  }
  for (;;) {
    if (isWord(tokens.peek())) values.add(tokens.take());
    else if (tokens.peek() === ',' || tokens.peek() === ')') values.add('');
    const next = tokens.take();
    if (next === ')') return [...values].sort();
    if (next !== ',') throw unexpected(next, "',' or ')'");
  }
}

function checked(requirement: LabelRequirement): LabelRequirement {
  try {
    checkRequirement(requirement);
  } catch (error) {
    throw error instanceof SelectorError ? new SelectorError(`unable to parse requirement: ${error.message}`) : error;
  }
  return requirement;
}

function unexpected(found: string, expected: string): SelectorError {
  return new SelectorError(`unable to parse requirement: found '${found}', expected: ${expected}`);
}
