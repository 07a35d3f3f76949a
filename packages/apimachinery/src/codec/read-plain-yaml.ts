import { setOwn } from '../json/object.ts';
import type { JsonObject } from '../json/object.ts';
import { resolvePlainScalar } from './yaml-scalar.ts';

/**
 * Reads a mapping written as programs write it: block mappings, lists of mappings, and one-line scalars, plain or in double
 * quotes without escapes. Everything else is `undefined` and `decodeYaml`'s; what is read is what `decodeYaml` reads. It is
 * for kubeconfigs, which each command needs before its first request: the parser of all YAML costs 35 ms there.
 */
export function readPlainYaml(text: string): JsonObject | undefined {
  const lines = linesOf(text);
  const [first] = lines ?? [];
  if (lines === undefined || first?.indent !== 0) return undefined;
  const reading: Reading = { lines, next: 0 };
  const value = readMapping(reading, 0);
  return reading.next === lines.length ? value : undefined;
}

interface Line {
  readonly indent: number;
  readonly text: string;
}

interface Reading {
  readonly lines: Line[];
  next: number;
}

const entry = /^([A-Za-z][\w-]{0,63}):(?: (.+))?$/;
const quoted = /^"([ !#-[\]-~]*)"$/;
const plain = /^[A-Za-z0-9/](?:[\w+/=.@-]|:(?=[\w/]))*$/;

function linesOf(text: string): Line[] | undefined {
  const lines: Line[] = [];
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const indent = line.search(/[^ ]/);
    if (indent < 0) return undefined;
    lines.push({ indent, text: line.slice(indent) });
  }
  return lines;
}

function readMapping(reading: Reading, indent: number): JsonObject | undefined {
  const mapping: JsonObject = {};
  for (let line = lineAt(reading, indent); line !== undefined && !line.text.startsWith('- '); line = lineAt(reading, indent)) {
    const [, key = '', scalar] = entry.exec(line.text) ?? [];
    // Such a key means a truth value, or is not of the simple kind; twice is for the decoder to report.
    if (resolvePlainScalar(key) !== key || Object.hasOwn(mapping, key)) return undefined;
    reading.next += 1;
    const value = scalar === undefined ? readBlock(reading, indent) : readScalar(scalar);
    if (value === undefined) return undefined;
    setOwn(mapping, key, value);
  }
  return mapping;
}

/** What stands below `key:`, further in, or a list in the same column. */
function readBlock(reading: Reading, indent: number): unknown {
  const first = reading.lines[reading.next];
  if (first === undefined || first.indent < indent) return null;
  if (first.text.startsWith('- ')) return readList(reading, first.indent);
  return first.indent === indent ? null : readMapping(reading, first.indent);
}

function readList(reading: Reading, indent: number): JsonObject[] | undefined {
  const list: JsonObject[] = [];
  for (let line = lineAt(reading, indent); line?.text.startsWith('- ') === true; line = lineAt(reading, indent)) {
    const text = line.text.slice(2);
    if (text.startsWith(' ') || !entry.test(text)) return undefined;
    reading.lines[reading.next] = { indent: indent + 2, text };
    const item = readMapping(reading, indent + 2);
    if (item === undefined) return undefined;
    list.push(item);
  }
  return list;
}

function lineAt({ lines, next }: Reading, indent: number): Line | undefined {
  const line = lines[next];
  return line?.indent === indent ? line : undefined;
}

function readScalar(text: string): unknown {
  if (text === '{}') return {};
  if (text === '[]') return [];
  const content = quoted.exec(text)?.[1];
  if (content !== undefined) return content;
  return plain.test(text) ? resolvePlainScalar(text) : undefined;
}
