import { spawnSync } from 'node:child_process';
import type { Skipped } from './checklist.ts';
import { run } from './pack-packages.ts';

/** The last stages of the Dockerfile; the image of each is `arc-TARGET`. */
const targets = ['apiserver', 'controller-manager', 'worker', 'arcctl'];

/** Builds every image with the first builder that works here. */
export function buildImages(root: string, version: string, commit: string): string | Skipped {
  const builder = [['docker', 'build'] as const, ['podman', 'build'] as const].find(
    ([program]) => spawnSync(program, ['info'], { stdio: 'ignore' }).status === 0,
  );
  if (builder === undefined) return { skipped: 'neither docker nor podman works here: build them where one does, from this commit' };
  const [program, verb] = builder;
  const names = targets.map((target) => `ghcr.io/opendefensecloud/arc-${target}:${version}`);
  for (const [index, target] of targets.entries()) {
    const labels = [`org.opencontainers.image.version=${version}`, `org.opencontainers.image.revision=${commit}`];
    const args = [verb, '--target', target, '--build-arg', `VERSION=${version}`, '--tag', names[index] ?? target];
    run(program, [...args, ...labels.flatMap((label) => ['--label', label]), root], root);
  }
  return names.join(', ');
}
