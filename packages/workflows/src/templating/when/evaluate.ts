import type { Expression } from './parse.ts';
import { WhenTypeError } from './when-error.ts';

type Value = string | number | boolean | null | readonly Value[];

/** @throws WhenTypeError when an operator is given a value it does not take; nothing is ever coerced */
export function evaluate(expression: Expression): Value {
  switch (expression.kind) {
    case 'literal':
      return expression.value;
    case 'list':
      return expression.items.map(evaluate);
    case 'unary':
      return evaluateUnary(expression.operator, evaluate(expression.operand));
    case 'conditional':
      if (boolean(evaluate(expression.test), '?')) return evaluate(expression.then);
      return expression.otherwise === undefined ? null : evaluate(expression.otherwise);
    case 'binary':
      return evaluateBinary(expression.operator, expression.left, expression.right);
  }
}

function evaluateUnary(operator: string, operand: Value): Value {
  if (operator === '!') return !boolean(operand, '!');
  const value = number(operand, operator);
  return operator === '-' ? -value : ~toInteger(value);
}

function evaluateBinary(operator: string, leftSide: Expression, rightSide: Expression): Value {
  const left = evaluate(leftSide);
  if (operator === '&&') return boolean(left, operator) && boolean(evaluate(rightSide), operator);
  if (operator === '||') return boolean(left, operator) || boolean(evaluate(rightSide), operator);
  if (operator === '??') return left ?? evaluate(rightSide);
  const right = evaluate(rightSide);
  switch (operator) {
    case '==':
      return equal(left, right);
    case '!=':
      return !equal(left, right);
    case 'in':
      return member(left, right);
    case '=~':
      return matches(left, right);
    case '!~':
      return !matches(left, right);
    case '<':
    case '>':
    case '<=':
    case '>=':
      return compare(operator, left, right);
    case '+':
      if (typeof left === 'string' || typeof right === 'string') return String(left) + String(right);
      return number(left, operator) + number(right, operator);
    default:
      return arithmetic(operator, number(left, operator), number(right, operator));
  }
}

function equal(left: Value, right: Value): boolean {
  if (!isList(left) || !isList(right)) return left === right;
  return left.length === right.length && left.every((item, index) => equal(item, right[index] ?? null));
}

function member(left: Value, right: Value): boolean {
  if (!isList(right)) throw new WhenTypeError(`Value '${String(right)}' cannot be used with the comparator 'in', it is not an array`);
  return right.some((item) => equal(left, item));
}

/** Unanchored. Patterns of Go that JavaScript reads otherwise do not occur in practice; an invalid one is an error. */
function matches(left: Value, right: Value): boolean {
  if (typeof left !== 'string' || typeof right !== 'string') {
    const wrong = typeof left === 'string' ? right : left;
    throw new WhenTypeError(`Value '${String(wrong)}' cannot be used with the comparator '=~', it is not a string`);
  }
  try {
    return new RegExp(right, 'u').test(left);
  } catch (error) {
    throw new WhenTypeError(`Unable to compile regexp pattern '${right}': ${error instanceof Error ? error.message : String(error)}`);
  }
}

function compare(operator: '<' | '>' | '<=' | '>=', left: Value, right: Value): boolean {
  const bothStrings = typeof left === 'string' && typeof right === 'string';
  if (!bothStrings && (typeof left !== 'number' || typeof right !== 'number')) {
    const wrong = typeof left === 'number' ? right : left;
    throw new WhenTypeError(`Value '${String(wrong)}' cannot be used with the comparator '${operator}', it is not a number`);
  }
  switch (operator) {
    case '<':
      return left < right;
    case '>':
      return left > right;
    case '<=':
      return left <= right;
    case '>=':
      return left >= right;
  }
}

function arithmetic(operator: string, left: number, right: number): number {
  switch (operator) {
    case '-':
      return left - right;
    case '*':
      return left * right;
    case '/':
      return left / right;
    case '%':
      return left % right;
    case '**':
      return left ** right;
    case '&':
      return toInteger(left) & toInteger(right);
    case '|':
      return toInteger(left) | toInteger(right);
    case '^':
      return toInteger(left) ^ toInteger(right);
    case '<<':
      return toInteger(left) << toInteger(right);
    case '>>':
      return toInteger(left) >> toInteger(right);
    default:
      throw new WhenTypeError(`Unknown operator '${operator}'`);
  }
}

function boolean(value: Value, operator: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new WhenTypeError(`Value '${String(value)}' cannot be used with the logical operator '${operator}', it is not a bool`);
}

function number(value: Value, operator: string): number {
  if (typeof value === 'number') return value;
  throw new WhenTypeError(`Value '${String(value)}' cannot be used with the modifier '${operator}', it is not a number`);
}

function toInteger(value: number): number {
  return Math.trunc(value);
}

function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}
