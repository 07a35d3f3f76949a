/** The reference tokens of a JSON pointer (RFC 6901), unescaped; undefined when the text is not one. */
export function parseJsonPointer(text: string): readonly string[] | undefined {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** True when `path` is `ancestor` or lies below it. */
export function pointsInto(path: readonly string[], ancestor: readonly string[]): boolean {
  return ancestor.every((token, index) => path[index] === token);
}
