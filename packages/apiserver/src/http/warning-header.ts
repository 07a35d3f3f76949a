/** All warnings of an answer together, characters; clients limit the size of headers. */
const maxTotalLength = 4_096;

/** `Warning` headers that kubectl prints: `299 - "text"` (wire contract 4.5). Control characters are dropped. */
export function warningHeaders(texts: Iterable<string>): readonly string[] {
  const headers: string[] = [];
  let left = maxTotalLength;
  for (const text of texts) {
    if (left <= 0) break;
    headers.push(warningHeader(text.slice(0, left)));
    left -= text.length;
  }
  return headers;
}

function warningHeader(text: string): string {
  const quoted = text.replaceAll(/\p{Cc}/gu, ' ').replaceAll(/["\\]/g, String.raw`\$&`);
  // Node writes header characters as single bytes; Kubernetes sends UTF-8.
  return `299 - "${Buffer.from(quoted).toString('latin1')}"`;
}
