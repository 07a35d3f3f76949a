const slots = 4096;
const known: string[] = Array.from({ length: slots }, () => '');

/**
 * The same text, as one string shared by those who asked for it lately: thousands of objects have the same few label
 * values. Texts that share a slot displace each other, so that it never grows.
 */
export function intern(text: string): string {
  const { length } = text;
  if (length === 0) return '';
  let hash = length;
  for (let at = 0; at < length; at++) hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
  const slot = hash & (slots - 1);
  if (known[slot] === text) return known[slot];
  known[slot] = text;
  return text;
}
