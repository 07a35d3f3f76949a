import { readFileSync } from 'node:fs';

interface PackageDescription {
  readonly version: string;
}

/** The version of this program, as a build has stamped it. */
export const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as PackageDescription;
