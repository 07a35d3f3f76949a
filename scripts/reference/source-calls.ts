/** One `new X(...)` in a source file; the arguments as they are written. */
export interface ConstructorCall {
  readonly className: string;
  readonly arguments: readonly string[];
}

/** Finds constructor calls of the named classes in TypeScript source, without a parser: strings, templates and comments are skipped as such. */
export function constructorCalls(source: string, classNames: ReadonlySet<string>): ConstructorCall[] {
  const calls: ConstructorCall[] = [];
  for (const match of source.matchAll(/\bnew (\w+)\(/g)) {
    const [whole, className = ''] = match;
    if (classNames.has(className)) calls.push({ className, arguments: splitList(source, match.index + whole.length) });
  }
  return calls;
}

/** The members of an object literal that are written as `name: value`. */
export function objectMembers(literal: string): ReadonlyMap<string, string> {
  if (!literal.startsWith('{')) return new Map();
  const members = splitList(literal, 1).flatMap((member): [string, string][] => {
    const match = /^(\w+):\s*([\s\S]+)$/.exec(member);
    return match?.[1] === undefined || match[2] === undefined ? [] : [[match[1], match[2]]];
  });
  return new Map(members);
}

/**
 * A string or template literal as text for people: what a template puts in is shown by its name in angle brackets.
 * Undefined for anything else.
 */
export function literalText(expression: string): string | undefined {
  const quote = expression[0] ?? '';
  if (!'\'"`'.includes(quote) || quote === '' || endOfString(expression, 0) !== expression.length) return undefined;
  let text = '';
  for (let at = 1; at < expression.length - 1; at += 1) {
    if (expression[at] === '\\') {
      at += 1;
      text += expression[at] === 'n' ? ' ' : expression[at];
    } else if (quote === '`' && expression.startsWith('${', at)) {
      const end = endOfGroup(expression, at + 1);
      text += placeholder(expression.slice(at + 2, end - 1));
      at = end - 1;
    } else text += expression[at];
  }
  return text;
}

function placeholder(expression: string): string {
  const quoted = /^JSON\.stringify\((.+)\)$/.exec(expression);
  if (quoted?.[1] !== undefined) return `"${placeholder(quoted[1])}"`;
  if (/^(?:messageOf\(|\w*error\.message$|cause\.message$)/i.test(expression)) return '<cause>';
  const name = /^[#\w.]*?#?(\w+)(?:\(\))?$/.exec(expression)?.[1];
  return name === undefined ? '…' : `<${name.replaceAll(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}>`;
}

/** Splits what stands between `start` and the bracket that closes it at its commas. */
function splitList(source: string, start: number): string[] {
  const parts: string[] = [];
  let from = start;
  let at = start;
  while (at < source.length) {
    const character = source[at] ?? '';
    if (')]}'.includes(character)) break;
    if (character === ',') {
      parts.push(source.slice(from, at));
      from = at + 1;
    }
    at = endOfToken(source, at);
  }
  return [...parts, source.slice(from, at)].map(withoutLeadingComments).filter((part) => part !== '');
}

function withoutLeadingComments(part: string): string {
  const text = part.trim();
  const end = text.startsWith('//') || text.startsWith('/*') ? endOfToken(text, 0) : 0;
  return end === 0 ? text : withoutLeadingComments(text.slice(end));
}

/** The position after whatever begins at `at`: a string, a comment, a bracketed group, or one character. */
function endOfToken(source: string, at: number): number {
  const character = source[at] ?? '';
  if ('\'"`'.includes(character)) return endOfString(source, at);
  if (source.startsWith('//', at)) return endOr(source, source.indexOf('\n', at));
  if (source.startsWith('/*', at)) return endOr(source, source.indexOf('*/', at) + 1);
  return '([{'.includes(character) ? endOfGroup(source, at) : at + 1;
}

function endOfGroup(source: string, at: number): number {
  let inside = at + 1;
  while (inside < source.length && !')]}'.includes(source[inside] ?? '')) inside = endOfToken(source, inside);
  return inside + 1;
}

function endOfString(source: string, at: number): number {
  const quote = source[at];
  let inside = at + 1;
  while (inside < source.length && source[inside] !== quote) {
    if (source[inside] === '\\') inside += 2;
    else inside = quote === '`' && source.startsWith('${', inside) ? endOfGroup(source, inside + 1) : inside + 1;
  }
  return inside + 1;
}

function endOr(source: string, found: number): number {
  return found <= 0 ? source.length : found + 1;
}
