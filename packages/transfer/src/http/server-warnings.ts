import { quotable } from './quoted-text.ts';

/** Most different warnings of one registry that are passed on. */
const limit = 20;

/** Passes each warning of a registry on once, cleaned and shortened: they are text from outside. */
export class ServerWarnings {
  readonly #seen = new Set<string>();
  readonly #tell: (text: string) => void;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** Takes a Warning header; only those of the form `299 - "text"` are meant for people (distribution-spec, "Warnings"). */
  take(header: string | undefined): void {
    if (header === undefined) return;
    for (const [, quoted = ''] of header.matchAll(/299 - "((?:[^"\\]|\\.)*)"/g)) {
      const text = quotable(quoted.replace(/\\(.)/g, '$1'), 500);
      if (text === '' || this.#seen.has(text) || this.#seen.size >= limit) continue;
      this.#seen.add(text);
      this.#tell(text);
    }
  }
}
