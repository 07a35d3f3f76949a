import type { Token } from './tokens.ts';
import { WhenSyntaxError } from './when-error.ts';

export type Expression =
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Expression }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'conditional'; readonly test: Expression; readonly then: Expression; readonly otherwise: Expression | undefined };

/** Weakest first, as govaluate binds them. */
const levels: readonly (readonly string[])[] = [
  ['??'],
  ['||'],
  ['&&'],
  ['==', '!=', '>', '<', '>=', '<=', '=~', '!~', 'in'],
  ['&', '|', '^'],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
  ['**'],
];

/** @throws WhenSyntaxError when the tokens are not one whole expression */
export function parse(tokens: readonly Token[]): Expression {
  if (tokens.length === 0) throw new WhenSyntaxError('Unexpected end of expression');
  const cursor = { position: 0 };
  const expression = parseList(tokens, cursor);
  const rest = tokens[cursor.position];
  if (rest !== undefined) throw unexpected(rest);
  return expression;
}

interface Cursor {
  position: number;
}

function parseList(tokens: readonly Token[], cursor: Cursor): Expression {
  const first = parseConditional(tokens, cursor);
  const items = [first];
  while (tokens[cursor.position]?.kind === 'comma') {
    cursor.position++;
    items.push(parseConditional(tokens, cursor));
  }
  return items.length === 1 ? first : { kind: 'list', items };
}

function parseConditional(tokens: readonly Token[], cursor: Cursor): Expression {
  const test = parseLevel(tokens, cursor, 0);
  if (!takeOperator(tokens, cursor, ['?'])) return test;
  const then = parseConditional(tokens, cursor);
  const otherwise = takeOperator(tokens, cursor, [':']) ? parseConditional(tokens, cursor) : undefined;
  return { kind: 'conditional', test, then, otherwise };
}

function parseLevel(tokens: readonly Token[], cursor: Cursor, level: number): Expression {
  const own = levels[level];
  if (own === undefined) return parseUnary(tokens, cursor);
  let left = parseLevel(tokens, cursor, level + 1);
  for (let operator = takeOperator(tokens, cursor, own); operator !== undefined; operator = takeOperator(tokens, cursor, own)) {
    left = { kind: 'binary', operator, left, right: parseLevel(tokens, cursor, level + 1) };
  }
  return left;
}

function parseUnary(tokens: readonly Token[], cursor: Cursor): Expression {
  const operator = takeOperator(tokens, cursor, ['!', '-', '~']);
  return operator === undefined ? parsePrimary(tokens, cursor) : { kind: 'unary', operator, operand: parseUnary(tokens, cursor) };
}

function parsePrimary(tokens: readonly Token[], cursor: Cursor): Expression {
  const token = tokens[cursor.position];
  if (token === undefined) throw new WhenSyntaxError('Unexpected end of expression');
  cursor.position++;
  if (token.kind === 'value') return { kind: 'literal', value: token.value };
  if (token.kind !== 'open') throw unexpected(token);
  const inner = parseList(tokens, cursor);
  if (tokens[cursor.position]?.kind !== 'close') throw new WhenSyntaxError('Unbalanced parenthesis');
  cursor.position++;
  return inner;
}

function takeOperator(tokens: readonly Token[], cursor: Cursor, accepted: readonly string[]): string | undefined {
  const token = tokens[cursor.position];
  if (token?.kind !== 'operator' || !accepted.includes(token.text)) return undefined;
  cursor.position++;
  return token.text;
}

function unexpected(token: Token): WhenSyntaxError {
  return new WhenSyntaxError(`Unexpected '${token.text}'`);
}
