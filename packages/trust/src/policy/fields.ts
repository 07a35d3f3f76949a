import { ArcError } from '@arc/kernel';

/** One object of a policy, read field by field; what is not read at the end is a mistake. */
export class Fields {
  readonly path: string;
  readonly #values: Map<string, unknown>;
  readonly #known = new Set<string>();

  /** @throws ArcError `InvalidPolicy` */
  constructor(value: unknown, path: string) {
    this.path = path;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'is not an object');
    this.#values = new Map(Object.entries(value));
  }

  has(name: string): boolean {
    this.#known.add(name);
    return this.#values.has(name);
  }

  take(name: string): unknown {
    this.#known.add(name);
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value;
  }

  text(name: string): string | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    if (typeof value === 'string' && value.trim() !== '') return value;
    throw invalid(this.at(name), 'is not a text, or an empty one');
  }

  requiredText(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw invalid(this.path, `has no ${name}`);
    return value;
  }

  choice<const T extends string>(name: string, values: readonly [T, ...T[]]): T {
    const text = this.text(name);
    if (text === undefined) return values[0];
    const value = values.find((candidate) => candidate === text);
    if (value === undefined) throw invalid(this.at(name), `is ${JSON.stringify(text)}, not one of ${values.join(', ')}`);
    return value;
  }

  /** The entries of a list with their paths; empty when there is none. */
  list(name: string): readonly (readonly [unknown, string])[] {
    const value = this.take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value) || value.length === 0) throw invalid(this.at(name), 'is not a list, or an empty one');
    return value.map((entry: unknown, index) => [entry, `${this.at(name)}[${index}]`] as const);
  }

  at(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  /** @throws ArcError `InvalidPolicy` when there is a field nobody asked for */
  end(): void {
    const [unknown] = this.#values.keys();
    if (unknown !== undefined) throw invalid(this.at(unknown), `is unknown; known here: ${[...this.#known].join(', ')}`);
  }
}

export function invalid(path: string, problem: string): ArcError {
  return new ArcError('InvalidPolicy', `the verification policy: ${path === '' ? 'it' : path} ${problem}`, {
    hint: 'What a policy may say is in docs/guide/verification.md.',
  });
}
