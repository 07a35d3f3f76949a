/**
 * One text per field that strict decoding objects to, duplicates first. With `fieldValidation=Warn` each is a
 * `Warning` header; with `Strict` they are joined by `strictDecodingText` (wire contract 2.4).
 */
export function strictDecodingMessages(found: { readonly unknown: readonly string[]; readonly duplicates: readonly string[] }): string[] {
  return [
    ...found.duplicates.map((path) => `duplicate field ${JSON.stringify(path)}`),
    ...found.unknown.map((path) => `unknown field ${JSON.stringify(path)}`),
  ];
}

/** `strict decoding error: unknown field "spec.a", unknown field "spec.b"`. */
export function strictDecodingText(messages: readonly string[]): string {
  return `strict decoding error: ${messages.join(', ')}`;
}
