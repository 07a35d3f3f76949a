import { chmod, mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArcError, codeOf } from '@arc/kernel';
import type { Attempt, AttemptMount, VolumeSource } from '../runner.ts';
import type { AttemptDirectory } from './attempt-directory.ts';
import type { ImageMap } from './image-map.ts';
import { resolveProgram } from './image-map.ts';
import { isWithin, rewritePaths } from './path-table.ts';
import type { PathEntry } from './path-table.ts';
import { PrivateRoot } from './private-root.ts';
import type { PathMode } from './supervisor.ts';

export interface StageOptions {
  readonly mode: PathMode;
  readonly images: ImageMap;
  /** The host's PATH. */
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  /** Directory of the Workflow's claims. */
  readonly claims: string;
}

/** An attempt laid out on disk, ready to be started. */
export interface StagedAttempt {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly workingDir: string;
  readonly paths: readonly PathEntry[];
  readonly rewrittenPaths: readonly string[];
}

const scriptPath = '/argo/staging/script';

/** Paths a host cannot do without: replacing them by another would break every program that is named by one of them. */
const systemPaths = new Set([
  '/',
  '/bin',
  '/sbin',
  '/usr',
  '/lib',
  '/lib64',
  '/etc',
  '/dev',
  '/proc',
  '/sys',
  '/usr/bin',
  '/usr/local',
  '/usr/local/bin',
  '/usr/lib',
]);

/**
 * Lays out volumes, script and root of an attempt and settles its command line and environment.
 *
 * @throws ArcError when a program is missing or a declared path cannot be honoured
 */
export async function stageAttempt(directory: AttemptDirectory, attempt: Attempt, options: StageOptions): Promise<StagedAttempt> {
  const mounts = [...attempt.mounts].sort((a, b) => a.mountPath.length - b.mountPath.length);
  const program = await resolveProgram(options.images, options.path, {
    image: attempt.image,
    command: attempt.command,
    args: [...attempt.args, ...(attempt.script === undefined ? [] : [scriptPath])],
    inVolume: (path) => path === scriptPath || mounts.some((mount) => isWithin(path, mount.mountPath)),
  });
  for (const [name, source] of Object.entries(attempt.volumes))
    await writeVolume(volumeDirectory(directory, options, name, source), source);
  const sources = await Promise.all(
    mounts.map(async (mount) => ({ mount, source: await mountSource(directory, attempt, options, mount) })),
  );
  const layout =
    options.mode === 'direct'
      ? await rewrittenLayout(directory, attempt, sources)
      : await mountedLayout(directory, attempt, sources, { ...options, hostPaths: program.hostPaths });
  await writeStaging(directory, attempt, layout.rewrite);
  const env = environmentOf(attempt, { path: program.path, host: options.env }, layout);
  return {
    argv: program.argv.map((word, index) => (index === 0 ? word : layout.rewrite(word))).with(0, layout.program(program.argv[0] ?? '')),
    env,
    workingDir: layout.workingDir,
    paths: layout.paths,
    rewrittenPaths: layout.rewrittenPaths,
  };
}

interface Layout {
  readonly paths: readonly PathEntry[];
  readonly workingDir: string;
  readonly home: string;
  readonly argo: string;
  readonly tmp: string;
  readonly rewrittenPaths: readonly string[];
  readonly extraEnv: Readonly<Record<string, string>>;
  rewrite(text: string): string;
  program(path: string): string;
}

interface MountedSource {
  readonly mount: AttemptMount;
  readonly source: string;
}

async function mountedLayout(
  directory: AttemptDirectory,
  attempt: Attempt,
  sources: readonly MountedSource[],
  options: StageOptions & { readonly hostPaths: readonly string[] },
): Promise<Layout> {
  const root = await PrivateRoot.create(directory.root);
  for (const path of options.hostPaths) await root.show(path);
  for (const { mount, source } of sources) await root.mount(mount.mountPath, source, { readOnly: mount.readOnly });
  for (const { path } of attempt.outputs) await root.keepPrivate(dirname(path));
  if (attempt.workingDir !== undefined && !(await isDirectory(attempt.workingDir))) await root.keepPrivate(attempt.workingDir);
  await directory.writeFstab(root.fstab({ enforceReadOnly: options.mode === 'root' }));
  return {
    paths: root.entries(),
    workingDir: attempt.workingDir ?? '/',
    home: '/argo/home',
    argo: '/argo',
    tmp: '/tmp',
    rewrittenPaths: [],
    extraEnv: {},
    rewrite: (text) => text,
    program: (path) => path,
  };
}

async function rewrittenLayout(directory: AttemptDirectory, attempt: Attempt, sources: readonly MountedSource[]): Promise<Layout> {
  const own = (path: string): PathEntry => ({ declared: path, actual: join(directory.root, path) });
  const paths: PathEntry[] = [own('/tmp'), own('/argo')];
  await Promise.all(['tmp', 'argo'].map((name) => mkdir(join(directory.root, name), { recursive: true, mode: 0o777 })));
  for (const { mount, source } of sources) {
    if (systemPaths.has(mount.mountPath)) {
      throw new ArcError('PathNotRewritable', `volume ${mount.volume} cannot be shown at ${mount.mountPath} on this host`, {
        hint: 'Choose another mountPath, or run where mount namespaces are permitted.',
      });
    }
    paths.push({ declared: mount.mountPath, actual: source });
    await linkInto(directory.root, mount.mountPath, source);
  }
  const covered = (path: string): boolean => paths.some((entry) => isWithin(path, entry.declared));
  for (const { path } of attempt.outputs) {
    if (covered(path)) continue;
    paths.push(own(path));
    await mkdir(join(directory.root, dirname(path)), { recursive: true });
  }
  const wanted = attempt.workingDir;
  if (wanted !== undefined && !covered(wanted) && !(await isDirectory(wanted))) {
    paths.push(own(wanted));
    await mkdir(join(directory.root, wanted), { recursive: true });
  }
  const rewrite = (text: string): string => rewritePaths(text, paths);
  return {
    paths,
    workingDir: wanted === undefined ? directory.root : rewrite(wanted),
    home: join(directory.root, 'argo/home'),
    argo: join(directory.root, 'argo'),
    tmp: join(directory.root, 'tmp'),
    rewrittenPaths: paths.map((entry) => entry.declared).filter((path) => path !== '/argo'),
    extraEnv: { ARC_ROOT: directory.root },
    rewrite,
    program: (path) => (attempt.mounts.some((mount) => isWithin(path, mount.mountPath)) || path === scriptPath ? rewrite(path) : path),
  };
}

/** Lets programs that know `ARC_ROOT` find the volume at the path it is declared at. */
async function linkInto(root: string, declared: string, source: string): Promise<void> {
  const place = join(root, declared);
  try {
    await mkdir(dirname(place), { recursive: true });
    await symlink(source, place);
  } catch (error) {
    if (!['EEXIST', 'ENOTDIR', 'EACCES', 'EROFS'].includes(codeOf(error) ?? '')) throw error;
  }
}

async function writeStaging(directory: AttemptDirectory, attempt: Attempt, rewrite: (text: string) => string): Promise<void> {
  await mkdir(join(directory.root, 'argo/home'), { recursive: true });
  if (attempt.script === undefined) return;
  const path = join(directory.root, scriptPath);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, rewrite(attempt.script), { mode: 0o755 });
}

function environmentOf(
  attempt: Attempt,
  { path, host }: { readonly path: string; readonly host: Readonly<Record<string, string>> },
  layout: Layout,
): Record<string, string> {
  const declared = Object.fromEntries(attempt.env.map(({ name, value }) => [name, layout.rewrite(value)]));
  const own = declared['PATH'];
  return {
    HOME: layout.home,
    LANG: 'C.UTF-8',
    TMPDIR: layout.tmp,
    ...host,
    ...layout.extraEnv,
    ...declared,
    PATH: own === undefined || own === '' ? path : `${own}:${path}`,
    ARGO_CONTAINER_NAME: 'main',
    ARGO_INCLUDE_SCRIPT_OUTPUT: String(attempt.captureResult),
    ARGO_NODE_ID: attempt.nodeId,
    ARGO_PROGRESS_FILE: join(layout.argo, 'progress'),
    ARGO_WORKFLOW_NAME: attempt.workflowName,
  };
}

function volumeDirectory(directory: AttemptDirectory, options: StageOptions, name: string, source: VolumeSource): string {
  return source.kind === 'claim' ? join(options.claims, source.name) : directory.volume(name);
}

async function writeVolume(path: string, source: VolumeSource): Promise<void> {
  await mkdir(path, { recursive: true, mode: source.kind === 'files' ? 0o700 : 0o777 });
  if (source.kind !== 'files') return;
  for (const file of source.files) {
    const target = join(path, file.path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await writeFile(target, file.content, { mode: 0o600 });
    await chmod(target, file.mode);
  }
}

async function mountSource(directory: AttemptDirectory, attempt: Attempt, options: StageOptions, mount: AttemptMount): Promise<string> {
  const volume = attempt.volumes[mount.volume];
  if (volume === undefined) throw new ArcError('VolumeMissing', `volume ${JSON.stringify(mount.volume)} is not defined`);
  const base = volumeDirectory(directory, options, mount.volume, volume);
  if (mount.subPath === undefined || mount.subPath === '') return base;
  const source = join(base, mount.subPath);
  if (!isWithin(source, base)) throw new ArcError('VolumeMissing', `subPath ${JSON.stringify(mount.subPath)} leaves its volume`);
  if (volume.kind !== 'files') await mkdir(source, { recursive: true }).catch(ignoreExistingFile);
  return source;
}

function ignoreExistingFile(error: unknown): void {
  if (codeOf(error) !== 'EEXIST') throw error;
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
