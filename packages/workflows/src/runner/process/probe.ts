import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ArcError } from '@arc/kernel';
import { AttemptDirectory } from './attempt-directory.ts';
import { PrivateRoot } from './private-root.ts';
import { spawnSupervisor } from './spawn.ts';
import type { PathMode } from './supervisor.ts';

/**
 * Finds out, by doing it, how steps can be shown the paths their templates declare.
 *
 * @throws ArcError `NamespacesNotPermitted` when they are demanded and the host refuses them
 */
export async function probePathMode(dataDir: string, wanted: 'auto' | 'namespace' | 'rewrite'): Promise<PathMode> {
  if (wanted === 'rewrite') return 'direct';
  const isRoot = process.getuid?.() === 0;
  for (const mode of isRoot ? (['root', 'user'] as const) : (['user'] as const)) {
    if (await works(dataDir, mode)) return mode;
  }
  if (wanted === 'auto') return 'direct';
  throw new ArcError('NamespacesNotPermitted', 'this host does not permit private mount namespaces', {
    hint: 'Permit unprivileged user namespaces, or let declared paths be rewritten.',
  });
}

async function works(dataDir: string, mode: PathMode): Promise<boolean> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const base = await mkdtemp(join(dataDir, 'probe-'));
  try {
    const directory = new AttemptDirectory(join(base, 'attempt'));
    await directory.create();
    await mkdir(directory.volume('probe/inside'), { recursive: true });
    const root = await PrivateRoot.create(directory.root);
    await root.mount('/arc-probe/nested', directory.volume('probe'));
    await directory.writeFstab(root.fstab({ enforceReadOnly: mode === 'root' }));
    const staged = {
      argv: ['/bin/sh', '-c', 'test -d /arc-probe/nested/inside && test -d /tmp && test -r /proc/self/stat'],
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
      workingDir: '/',
      paths: [],
      rewrittenPaths: [],
    };
    const { exited } = await spawnSupervisor(directory, { staged, log: 'ignore', mode, captureResult: false, mark: 'ARC_ATTEMPT=probe' });
    await exited;
    return (await directory.readExit())?.code === 0;
  } finally {
    await rm(base, { recursive: true, force: true });
  }
}
