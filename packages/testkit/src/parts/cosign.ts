import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './docker-registry.ts';

/** On the PATH, or where `test/tools/cosign/build.sh` puts what it builds. */
export function findCosign(): string | undefined {
  const built = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'artifact-conduit', 'cosign');
  return findProgram('cosign') ?? (existsSync(built) ? built : undefined);
}
