import { readFile } from 'node:fs/promises';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';

interface PackageDescription {
  readonly version: string;
}

/** `arcctl version`: needs no server. */
export async function printVersion(invocation: Invocation): Promise<void> {
  const version = await arcctlVersion();
  const platform = `${process.platform}-${process.arch}`;
  const { stdout } = invocation.streams;
  if (textOption(invocation, 'output') === 'json')
    stdout.write(`${JSON.stringify({ version, node: process.versions.node, platform }, null, 2)}\n`);
  else stdout.write(`arcctl ${version} (Node ${process.versions.node}, ${platform})\n`);
}

export async function arcctlVersion(): Promise<string> {
  return (JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as PackageDescription).version;
}
