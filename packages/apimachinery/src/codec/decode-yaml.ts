import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseAllDocuments, Scalar } from 'yaml';
import type { Alias, Document, Node, YAMLMap, YAMLSeq } from 'yaml';
import { maxNestingDepth } from '../json/nesting.ts';
import { isObject, setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { childPath, indexPath } from '../json/path.ts';
import { DecodeError } from './decode-error.ts';
import type { Decoded } from './decode-error.ts';
import { resolveNumber, resolvePlainScalar } from './yaml-scalar.ts';

/** Values that aliases may add to a document in total; an honest manifest needs a few. */
export const maxAliasedValues = 10_000;

/**
 * Decodes one YAML document into the JSON value that kubectl would make of it (wire contract 4.1), and reports keys
 * given twice. An empty text is `null`.
 *
 * @throws DecodeError with line and column; also for a second document, an alias bomb, `.inf` or a key that is no scalar.
 */
export function decodeYaml(input: Uint8Array | string): Decoded {
  const [first, second] = readDocuments(input);
  if (second !== undefined) throw second.error('expected one document, found more');
  return first === undefined ? { value: null, duplicates: [] } : first.decode();
}

/** Decodes every document of a YAML stream, in order; empty documents are left out. Throws as `decodeYaml` does. */
export function decodeYamlDocuments(input: Uint8Array | string): Decoded[] {
  return readDocuments(input)
    .map((document) => document.decode())
    .filter((decoded) => decoded.value !== null);
}

interface ParsedDocument {
  readonly decode: () => Decoded;
  readonly error: (what: string) => DecodeError;
}

function readDocuments(input: Uint8Array | string): ParsedDocument[] {
  const text = typeof input === 'string' ? input : new TextDecoder().decode(input);
  const lines = new LineCounter();
  // The failsafe schema leaves every scalar a text: what it means is decided here, by kubectl's rules.
  const parsed = parseAllDocuments(text, {
    schema: 'failsafe',
    uniqueKeys: false,
    lineCounter: lines,
    logLevel: 'silent',
    prettyErrors: false,
    keepSourceTokens: false,
  });
  const documents: Document.Parsed[] = Array.isArray(parsed) ? [...parsed] : [];
  return documents.map((document) => {
    const decoding: Decoding = { lines, duplicates: [], anchors: new Map(), aliased: 0, expanding: [] };
    return {
      decode: (): Decoded => {
        const [error] = document.errors;
        if (error !== undefined) {
          // The parser recurses and reports its own exhausted stack as an error of the document.
          const tooDeep = error.message.includes('call stack');
          throw errorAt(decoding, error.pos[0], tooDeep ? `nested more than ${maxNestingDepth} levels deep` : error.message);
        }
        const value = document.contents === null ? null : valueOf(decoding, document.contents, '', 0);
        return { value, duplicates: decoding.duplicates };
      },
      error: (what) => errorAt(decoding, document.contents?.range?.[0] ?? document.range[0], what),
    };
  });
}

interface Decoding {
  readonly lines: LineCounter;
  readonly duplicates: string[];
  /** The nodes that carry an anchor, as far as the document has been read. */
  readonly anchors: Map<string, Node>;
  aliased: number;
  /** The aliased nodes being expanded, outermost first. */
  readonly expanding: Node[];
}

function valueOf(decoding: Decoding, node: unknown, path: string, depth: number): unknown {
  if (depth > maxNestingDepth) throw errorOf(decoding, node, `nested more than ${maxNestingDepth} levels deep`);
  if (decoding.expanding.length > 0 && ++decoding.aliased > maxAliasedValues) {
    throw errorOf(decoding, node, 'document contains excessive aliasing');
  }
  rememberAnchor(decoding, node);
  if (isScalar(node)) return scalarValue(decoding, node);
  if (isMap(node)) return mapValue(decoding, node, path, depth);
  if (isSeq(node)) return (node as YAMLSeq).items.map((item, index) => valueOf(decoding, item, indexPath(path, index), depth + 1));
  if (isAlias(node)) return aliasValue(decoding, node, (target) => valueOf(decoding, target, path, depth + 1));
  return null;
}

function rememberAnchor(decoding: Decoding, node: unknown): void {
  if (decoding.expanding.length > 0 || !isNode(node) || isAlias(node)) return;
  if (node.anchor !== undefined) decoding.anchors.set(node.anchor, node);
}

function mapValue(decoding: Decoding, map: YAMLMap, path: string, depth: number): JsonObject {
  const object: JsonObject = {};
  const merges: { readonly source: unknown; readonly value: unknown }[] = [];
  for (const pair of map.items) {
    if (isMergeKey(pair.key)) {
      merges.push({ source: pair.value, value: valueOf(decoding, pair.value, path, depth + 1) });
      continue;
    }
    const key = keyOf(decoding, pair.key);
    const keyPath = childPath(path, key);
    if (Object.hasOwn(object, key)) decoding.duplicates.push(keyPath);
    setOwn(object, key, valueOf(decoding, pair.value, keyPath, depth + 1));
  }
  for (const merge of merges) mergeInto(decoding, object, merge);
  return object;
}

/** `<<`: the map's own keys win over merged ones, earlier merged maps over later ones. */
function mergeInto(decoding: Decoding, object: JsonObject, merge: { readonly source: unknown; readonly value: unknown }): void {
  const { source, value } = merge;
  for (const merged of Array.isArray(value) ? (value as unknown[]) : [value]) {
    if (!isObject(merged)) throw errorOf(decoding, source, 'map merge requires map or sequence of maps as the value');
    for (const key of Object.keys(merged)) {
      if (!Object.hasOwn(object, key)) setOwn(object, key, merged[key]);
    }
  }
}

function isMergeKey(key: unknown): boolean {
  return isScalar(key) && key.type === Scalar.PLAIN && key.source === '<<' && key.tag === undefined;
}

function keyOf(decoding: Decoding, key: unknown): string {
  rememberAnchor(decoding, key);
  const value = isScalar(key) ? scalarText(decoding, key) : isAlias(key) ? aliasValue(decoding, key, (node) => keyOf(decoding, node)) : key;
  if (typeof value === 'string') return value;
  throw errorOf(decoding, key, value === null ? 'a key must not be null' : 'a key must be a scalar');
}

function scalarText(decoding: Decoding, scalar: Scalar): string | null {
  if (scalar.type === Scalar.PLAIN && scalar.tag === undefined) {
    const special = resolvePlainScalar(scalar.source ?? '');
    if (typeof special === 'number' && !Number.isFinite(special)) return String(scalar.source);
  }
  const value = scalarValue(decoding, scalar);
  return value === null ? null : String(value);
}

function aliasValue<T>(decoding: Decoding, alias: Alias, expand: (target: Node) => T): T {
  const target = decoding.anchors.get(alias.source);
  if (target === undefined) throw errorOf(decoding, alias, `unknown anchor '${alias.source}' referenced`);
  if (decoding.expanding.includes(target)) throw errorOf(decoding, alias, `anchor '${alias.source}' value contains itself`);
  decoding.expanding.push(target);
  const value = expand(target);
  decoding.expanding.pop();
  return value;
}

const standardTags = 'tag:yaml.org,2002:';

function scalarValue(decoding: Decoding, scalar: Scalar): unknown {
  const text = String(scalar.source ?? scalar.value ?? '');
  if (scalar.tag === undefined) {
    if (scalar.type !== undefined && scalar.type !== Scalar.PLAIN) return text;
    return finite(decoding, scalar, resolvePlainScalar(text));
  }
  if (!scalar.tag.startsWith(standardTags)) return text;
  const type = scalar.tag.slice(standardTags.length);
  const value = taggedValue(type, text);
  if (value === undefined) throw errorOf(decoding, scalar, `cannot decode \`${text}\` as a !!${type}`);
  return finite(decoding, scalar, value);
}

function taggedValue(type: string, text: string): unknown {
  switch (type) {
    case 'bool': {
      const value = resolvePlainScalar(text);
      return typeof value === 'boolean' ? value : undefined;
    }
    case 'int': {
      const value = resolveNumber(text);
      return typeof value === 'bigint' || Number.isInteger(value) ? value : undefined;
    }
    case 'float':
      return resolveNumber(text);
    case 'null':
      return resolvePlainScalar(text) === null ? null : undefined;
    case 'binary':
      return binaryText(text);
    default:
      return text;
  }
}

function binaryText(text: string): string | undefined {
  const compact = text.replaceAll(/\s/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) return undefined;
  return Buffer.from(compact, 'base64').toString('utf8');
}

function finite(decoding: Decoding, scalar: Scalar, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw errorOf(decoding, scalar, `unsupported value: ${value}`);
  return value;
}

function errorOf(decoding: Decoding, node: unknown, what: string): DecodeError {
  const range = typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range) ? (node.range as unknown[]) : [];
  return errorAt(decoding, typeof range[0] === 'number' ? range[0] : 0, what);
}

function errorAt(decoding: Decoding, offset: number, what: string): DecodeError {
  const { line, col } = decoding.lines.linePos(offset);
  return new DecodeError('YAML', what, { line: Math.max(line, 1), column: Math.max(col, 1) });
}
