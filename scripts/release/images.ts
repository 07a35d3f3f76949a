import { spawnSync } from 'node:child_process';
import type { Skipped } from './checklist.ts';
import { run } from './pack-packages.ts';

/** The last stages of the Dockerfile, and their images. */
const images = { apiserver: 'arc-apiserver', 'controller-manager': 'arc-controller-manager', worker: 'arc-worker', arcctl: 'arcctl' };

/** Builds every image with the first builder that works here. */
export function buildImages(root: string, version: string, commit: string): string | Skipped {
  const builder = [['docker', 'build'] as const, ['podman', 'build'] as const].find(
    ([program]) => spawnSync(program, ['info'], { stdio: 'ignore' }).status === 0,
  );
  if (builder === undefined) return { skipped: 'neither docker nor podman works here: build them where one does, from this commit' };
  const [program, verb] = builder;
  const labels = [`org.opencontainers.image.version=${version}`, `org.opencontainers.image.revision=${commit}`];
  const built = Object.entries(images).map(([target, image]) => {
    const name = `ghcr.io/opendefensecloud/${image}:${version}`;
    const args = [verb, '--target', target, '--build-arg', `VERSION=${version}`, '--tag', name];
    run(program, [...args, ...labels.flatMap((label) => ['--label', label]), root], root);
    return name;
  });
  return built.join(', ');
}
