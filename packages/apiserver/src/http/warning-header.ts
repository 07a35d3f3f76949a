const maxWarningLength = 4_096;

/** A `Warning` header that kubectl prints: `299 - "text"` (wire contract 4.5). Control characters are dropped. */
export function warningHeader(text: string): string {
  const quoted = text
    .slice(0, maxWarningLength)
    .replaceAll(/\p{Cc}/gu, ' ')
    .replaceAll(/["\\]/g, String.raw`\$&`);
  // Node writes header characters as single bytes; Kubernetes sends UTF-8.
  return `299 - "${Buffer.from(quoted).toString('latin1')}"`;
}
