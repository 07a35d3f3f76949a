/**
 * Indents compact JSON by two spaces a level, without parsing it: numbers stay digit for digit. The text must be valid
 * JSON without insignificant space.
 */
export function indentJson(text: string): string {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  const breakLine = (at: number): void => {
    parts.push(text.slice(from, at), '\n', '  '.repeat(depth));
    from = at;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at);
    } else if (character === '{' || character === '[') {
      const next = text[at + 1];
      if (next === '}' || next === ']') at++;
      else {
        depth++;
        breakLine(at + 1);
      }
    } else if (character === '}' || character === ']') {
      depth--;
      breakLine(at);
    } else if (character === ',') {
      breakLine(at + 1);
    } else if (character === ':') {
      parts.push(text.slice(from, at + 1), ' ');
      from = at + 1;
    }
  }
  parts.push(text.slice(from));
  return parts.join('');
}

function endOfString(text: string, open: number): number {
  let at = open + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
