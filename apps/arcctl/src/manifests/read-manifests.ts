import { readFile } from 'node:fs/promises';
import { readText, UsageError } from '@arc/cli-kit';
import type { InputStream } from '@arc/cli-kit';
import { isObject } from '@arc/apimachinery/client';
import type { KubeObject } from '@arc/apimachinery/client';
import { DecodeError, decodeJson, decodeYamlDocuments } from '@arc/apimachinery/yaml';
import type { Decoded } from '@arc/apimachinery/yaml';
import { ArcError, codeOf, messageOf } from '@arc/kernel';

/** One object of a file, and what to call it in an error. */
export interface Manifest {
  readonly object: KubeObject;
  /** `order.yaml, document 2`. */
  readonly where: string;
}

/**
 * Reads every object of YAML or JSON files in their order, or of standard input for `-`; the items of `v1 List`s one by one.
 *
 * @throws ArcError `InvalidYAML` or `InvalidJSON` with line and column, `InvalidManifest`, `FileUnreadable`
 */
export async function readManifests(files: readonly string[], stdin: InputStream): Promise<Manifest[]> {
  const manifests: Manifest[] = [];
  for (const file of files) manifests.push(...(await readFileOfManifests(file, stdin)));
  return manifests;
}

async function readFileOfManifests(file: string, stdin: InputStream): Promise<Manifest[]> {
  const source = file === '-' ? 'standard input' : file;
  const text = file === '-' ? await readText(stdin) : await readNamed(file);
  const documents = decodeDocuments(text, source);
  const manifests = documents.flatMap(({ value, duplicates }, index) => {
    const where = documents.length === 1 ? source : `${source}, document ${index + 1}`;
    if (duplicates.length > 0) {
      throw invalid(where, `these keys are given twice: ${duplicates.join(', ')}`, 'Keep one of them; which one counts would be a guess.');
    }
    return objectsOf(value, where);
  });
  if (manifests.length === 0) throw invalid(source, 'there is no object in it', 'Write at least one object, for example an Order.');
  return manifests;
}

async function readNamed(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const options = { cause: error, hint: 'Check the path given with -f.' };
    if (codeOf(error) === 'ENOENT') throw new ArcError('FileUnreadable', `the file ${file} does not exist`, options);
    if (codeOf(error) === 'EISDIR') throw new UsageError(`${file} is a directory`, { hint: 'Name one file with -f.' });
    throw new ArcError('FileUnreadable', `the file ${file} cannot be read: ${messageOf(error)}`, options);
  }
}

function decodeDocuments(text: string, source: string): Decoded[] {
  try {
    // JSON is YAML too, but its own decoder says better what is wrong with it.
    return text.trimStart().startsWith('{') && isOneJsonText(text) ? [decodeJson(text)] : decodeYamlDocuments(text);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new ArcError(error.code, `${source}: ${error.message}`, {
      cause: error,
      hint: `Correct ${source} at line ${error.line}.`,
      details: { file: source, line: error.line, column: error.column },
    });
  }
}

/** A stream of `{...}` documents, or YAML in flow style, starts with a brace too. */
function isOneJsonText(text: string): boolean {
  return !/^---\s*$/m.test(text) && /^\s*\{\s*"/.test(text);
}

function objectsOf(value: unknown, where: string): Manifest[] {
  if (!isObject(value)) throw invalid(where, 'it is not a mapping', 'An object starts with apiVersion, kind and metadata.');
  for (const field of ['apiVersion', 'kind'] as const) {
    if (typeof value[field] !== 'string' || value[field] === '') throw invalid(where, `${field} is missing`, `Add ${field} to the object.`);
  }
  if (value['kind'] === 'List' && value['apiVersion'] === 'v1') {
    const { items = [] } = value;
    if (!Array.isArray(items)) throw invalid(where, 'items is not a list');
    return items.flatMap((item: unknown, index) => objectsOf(item, `${where}, item ${index + 1}`));
  }
  const { metadata } = value;
  if (!isObject(metadata) || !(isText(metadata['name']) || isText(metadata['generateName']))) {
    throw invalid(where, 'metadata.name is missing', "Add metadata.name, or metadata.generateName for a name of the server's making.");
  }
  return [{ object: value as unknown as KubeObject, where }];
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function invalid(where: string, problem: string, hint?: string): ArcError {
  return new ArcError('InvalidManifest', `${where}: ${problem}`, hint === undefined ? {} : { hint });
}
