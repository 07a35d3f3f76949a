import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { ReleaseFacts } from './bill-of-materials.ts';

/** The SHA-256 of a file, in hexadecimal digits. */
export function sha256Of(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/**
 * How files of a release came to be: an in-toto statement with SLSA's build provenance v1. It is not signed here; whoever
 * releases signs it, for instance with `cosign attest-blob`.
 */
export function provenanceOf(files: readonly string[], facts: ReleaseFacts, node: string): Readonly<Record<string, unknown>> {
  return {
    _type: 'https://in-toto.io/Statement/v1',
    subject: files.map((path) => ({ name: basename(path), digest: { sha256: sha256Of(path) } })),
    predicateType: 'https://slsa.dev/provenance/v1',
    predicate: {
      buildDefinition: {
        buildType: 'https://arc.opendefense.cloud/build/npm-run-release/v1',
        externalParameters: { version: facts.version },
        resolvedDependencies: [{ name: 'source', digest: { gitCommit: facts.commit } }],
      },
      runDetails: { builder: { id: 'https://arc.opendefense.cloud/builder/local', version: { node } } },
    },
  };
}
