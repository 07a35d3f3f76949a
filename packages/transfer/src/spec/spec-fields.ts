import { parseRepository, parseTag } from '../reference/image-reference.ts';
import { TransferError } from '../transfer-error.ts';

/** `repository[:tag]` at the destination, with `{{.name}}` for each of `known`, or an object with `repository` and `tag`. */
export function readOverride(value: unknown, known: Readonly<Record<string, string>>): { repository?: string; tag?: string } {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const fields = value as Readonly<Record<string, unknown>>;
    const repository = text(fields['repository'] ?? fields['name'], 'override.repository');
    const tag = text(fields['tag'], 'override.tag');
    return {
      ...(repository === undefined ? {} : { repository: parseRepository(repository) }),
      ...(tag === undefined ? {} : { tag: parseTag(tag) }),
    };
  }
  const written = text(value, 'override');
  if (written === undefined) return {};
  const expanded = written.replace(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) =>
    Object.hasOwn(known, name) ? (known[name] ?? '') : whole,
  );
  if (expanded.includes('{{')) {
    const names = Object.keys(known).map((name) => `{{.${name}}}`);
    throw new TransferError('InvalidReference', `${JSON.stringify(written)} uses more than ${names.join(' and ')}`);
  }
  if (expanded.includes('@'))
    throw new TransferError('InvalidReference', 'a digest cannot be overridden', { hint: 'Write repository[:tag].' });
  if (expanded.startsWith(':')) return { tag: parseTag(expanded.slice(1)) };
  const colon = expanded.lastIndexOf(':');
  if (colon === -1 || expanded.includes('/', colon)) return { repository: parseRepository(expanded) };
  return { repository: parseRepository(expanded.slice(0, colon)), tag: parseTag(expanded.slice(colon + 1)) };
}

/** @throws TransferError `InvalidReference` */
export function readSpec(json: string): Readonly<Record<string, unknown>> {
  let spec: unknown;
  try {
    spec = JSON.parse(json);
  } catch (error) {
    throw new TransferError('InvalidReference', 'the artifact spec is not valid JSON', { cause: error });
  }
  if (typeof spec === 'object' && spec !== null && !Array.isArray(spec)) return spec as Readonly<Record<string, unknown>>;
  throw new TransferError('InvalidReference', 'the artifact spec is not an object', {
    hint: 'Write spec: as fields with values.',
  });
}

/** A text, or undefined for what is absent or empty. */
export function text(value: unknown, field: string): string | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value === 'string') return value.trim();
  throw new TransferError('InvalidReference', `${field} is not a string`, {
    hint: 'Put the value into quotes: YAML reads 1.10 as a number.',
  });
}

export function strings(value: unknown, field: string): string[] {
  if (value === undefined || value === null || value === '') return [];
  if (!Array.isArray(value)) throw new TransferError('InvalidReference', `${field} is not a list`);
  return value.flatMap((entry, index) => text(entry, `${field}[${index}]`) ?? []);
}

/** Runs `read` and names the field in what it throws. */
export function inField<T>(field: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TransferError)) throw error;
    throw new TransferError(error.code, `spec.${field}: ${error.message}`, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
