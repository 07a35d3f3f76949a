/**
 * Encodings kept with what they were made from, as long as somebody uses them and within a number of bytes: when a new
 * half of that is full, what nobody has asked for since the last one is dropped. What belongs to a source that is gone
 * goes with it.
 */
export class KeptEncodings<V> {
  readonly #limit: number;
  readonly #sizeOf: (encoding: V) => number;
  #young = new Generation<V>();
  #old = new Generation<V>();

  /** @param limit bytes; at most this much is held. */
  constructor(limit: number, sizeOf: (encoding: V) => number) {
    this.#limit = limit;
    this.#sizeOf = sizeOf;
  }

  /** Bytes held; encodings of sources that are gone are counted until their generation is dropped. */
  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  get(source: WeakKey, form: string): V | undefined {
    const young = this.#young.get(source, form);
    if (young !== undefined) return young;
    const old = this.#old.get(source, form);
    if (old !== undefined) this.set(source, form, old);
    return old;
  }

  /** Keeps `encoding` in the place of an older one of the same source and form. */
  set(source: WeakKey, form: string, encoding: V): void {
    const size = this.#sizeOf(encoding);
    this.delete(source, form);
    if (size > this.#limit / 2) return;
    if (this.#young.bytes + size > this.#limit / 2) {
      this.#old = this.#young;
      this.#young = new Generation();
    }
    this.#young.add(source, form, { encoding, size });
  }

  delete(source: WeakKey, form: string): void {
    if (!this.#young.delete(source, form)) this.#old.delete(source, form);
  }
}

interface Kept<V> {
  readonly encoding: V;
  readonly size: number;
}

class Generation<V> {
  readonly #forms = new Map<string, WeakMap<WeakKey, Kept<V>>>();
  bytes = 0;

  get(source: WeakKey, form: string): V | undefined {
    return this.#forms.get(form)?.get(source)?.encoding;
  }

  add(source: WeakKey, form: string, kept: Kept<V>): void {
    let sources = this.#forms.get(form);
    if (sources === undefined) this.#forms.set(form, (sources = new WeakMap()));
    sources.set(source, kept);
    this.bytes += kept.size;
  }

  delete(source: WeakKey, form: string): boolean {
    const sources = this.#forms.get(form);
    const kept = sources?.get(source);
    if (sources === undefined || kept === undefined) return false;
    sources.delete(source);
    this.bytes -= kept.size;
    return true;
  }
}
