import { TransferError } from '../transfer-error.ts';

/**
 * Parses JSON and refuses duplicate keys: two parsers that pick different ones would see two different manifests under
 * one digest.
 *
 * @throws TransferError `InvalidManifest`
 */
export function parseStrictJson(bytes: Buffer, what: string): unknown {
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new TransferError('InvalidManifest', `${what} is not valid JSON`, { cause: error });
  }
  const duplicate = duplicateKey(text);
  if (duplicate !== undefined)
    throw new TransferError('InvalidManifest', `${what} has the key ${JSON.stringify(duplicate)} twice in one object`);
  return value;
}

/** Walks text known to be valid JSON and returns the first key that an object repeats. */
function duplicateKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  const token = /[{}[\]]|"(?:[^"\\]|\\.)*"(\s*:)?/g;
  for (const match of text.matchAll(token)) {
    const [found, colon] = match;
    if (found === '{') open.push(new Set());
    else if (found === '[') open.push(undefined);
    else if (found === '}' || found === ']') open.pop();
    else if (colon !== undefined) {
      const key = JSON.parse(found.slice(0, found.length - colon.length)) as string;
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
