/** Values by the dotted name a tag uses. */
export type TagScope = ReadonlyMap<string, string>;

/**
 * Replaces the `{{name}}` tags of every string in `value` whose name (white space trimmed) is in `scope`. Tags that are
 * not are left as they are, so that late-bound names and foreign syntaxes pass through. In `{{a.{{b}}}}` the inner tag
 * goes first. An inserted value is not looked at again in the same pass (1.4).
 */
export function substituteTags<T>(value: T, scope: TagScope): T {
  return mapStrings(value, (text) => substituteText(text, (name) => scope.get(name))) as T;
}

/** Every tag left in the strings of `value`, in order of appearance, without their braces and white space. */
export function tagsIn(value: unknown): readonly string[] {
  const found: string[] = [];
  mapStrings(value, (text) =>
    substituteText(text, (name) => {
      found.push(name);
      return undefined;
    }),
  );
  return found;
}

function mapStrings(value: unknown, map: (text: string) => string): unknown {
  if (typeof value === 'string') return value.includes('{{') ? map(value) : value;
  if (Array.isArray(value)) return value.map((entry) => mapStrings(entry, map));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [mapKey(key, map), mapStrings(entry, map)]));
}

function mapKey(key: string, map: (text: string) => string): string {
  return key.includes('{{') ? map(key) : key;
}

function substituteText(text: string, resolve: (name: string) => string | undefined): string {
  let result = '';
  let position = 0;
  for (;;) {
    const open = text.indexOf('{{', position);
    const close = open < 0 ? -1 : closingBraces(text, open);
    if (close < 0) return result + text.slice(position);
    const inner = text.slice(open + 2, close);
    const name = inner.includes('{{') ? substituteText(inner, resolve) : inner;
    result += text.slice(position, open) + (resolve(name.trim()) ?? `{{${name}}}`);
    position = close + 2;
  }
}

function closingBraces(text: string, open: number): number {
  let depth = 0;
  for (let index = open; index < text.length - 1; index++) {
    if (text.startsWith('{{', index)) {
      depth++;
      index++;
    } else if (text.startsWith('}}', index)) {
      depth--;
      if (depth === 0) return index;
      index++;
    }
  }
  return -1;
}
