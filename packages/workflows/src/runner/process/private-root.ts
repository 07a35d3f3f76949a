import { lstat, mkdir, readdir, readlink, realpath, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { codeOf } from '@arc/kernel';
import { isWithin } from './path-table.ts';
import type { PathEntry } from './path-table.ts';

interface Bind {
  readonly source: string;
  readonly readOnly: boolean;
}

/**
 * The root directory a step sees in its mount namespace: the host's own, with the declared paths on top. A directory of
 * the host is bound as it is; where something must appear inside one, it becomes a directory of the root's own whose
 * other entries are bound one by one. `/tmp` and `/argo` belong to the attempt.
 */
export class PrivateRoot {
  readonly #directory: string;
  /** By the path the step sees. */
  readonly #binds = new Map<string, Bind>();
  readonly #mounts = new Set<string>();
  readonly #own = new Set<string>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes `directory`, which must not exist, the root. */
  static async create(directory: string): Promise<PrivateRoot> {
    const root = new PrivateRoot(directory);
    await root.#makeOwn('/', 0o755);
    await root.#fill('/');
    for (const path of ['/tmp', '/argo']) {
      root.#binds.delete(path);
      await root.#makeOwn(path, 0o777);
    }
    return root;
  }

  /** Shows `source` of the host, a directory or a file, at `target`. Call it for outer targets first. */
  async mount(target: string, source: string, options: { readonly readOnly?: boolean } = {}): Promise<void> {
    const place = await this.#place(target, (await lstat(source)).isDirectory());
    this.#own.delete(place);
    this.#mounts.add(place);
    this.#binds.set(place, { source, readOnly: options.readOnly ?? false });
  }

  /** Keeps visible what the attempt's own `/tmp` would hide of the host: the whole directory below `/tmp` it is in. */
  async show(path: string): Promise<void> {
    const [top, name] = path.split('/').slice(1);
    if (top !== 'tmp' || name === undefined || name === '') return;
    const shown = `/tmp/${name}`;
    if (!this.#mounts.has(shown) && (await isRealDirectory(shown))) await this.mount(shown, shown);
  }

  /** Makes sure that files written into the directory `path` stay with the attempt. */
  async keepPrivate(path: string): Promise<void> {
    await this.#reach(path, { own: true });
  }

  /** Where a path of the step lies on the host. */
  entries(): readonly PathEntry[] {
    const own = [...this.#own].map((path) => ({ declared: path, actual: join(this.#directory, path) }));
    const bound = [...this.#binds].map(([path, { source }]) => ({ declared: path, actual: source }));
    return [...own, ...bound];
  }

  /**
   * The mounts in fstab form. What contains the root itself comes first: binding it recursively would copy every mount
   * made before it.
   */
  fstab(options: { readonly enforceReadOnly: boolean }): string {
    const rank = ([, { source }]: readonly [string, Bind]): number => (isWithin(this.#directory, source) ? 0 : 1);
    return [...this.#binds]
      .sort((a, b) => rank(a) - rank(b) || segments(a[0]).length - segments(b[0]).length)
      .map(([target, { source, readOnly }]) => {
        const kind = readOnly && options.enforceReadOnly ? 'bind,ro' : 'rbind';
        return `${escaped(source)} ${escaped(join(this.#directory, target))} none ${kind} 0 0\n`;
      })
      .join('');
  }

  /** Makes `target` a place to mount on and returns where it is when the host's symbolic links are followed. */
  async #place(target: string, isDirectory: boolean): Promise<string> {
    if (target === '/') return '/';
    let parent = await this.#reach(dirname(target), { own: false });
    let place = join(parent, basename(target));
    const around = this.#mountAround(parent);
    if (around !== undefined) {
      await makePlace(join(this.#binds.get(around)?.source ?? '', place.slice(around.length)), isDirectory);
      return place;
    }
    if (!this.#own.has(parent)) {
      if (isDirectory && (await isRealDirectory(place))) return place;
      parent = await this.#reach(parent, { own: true });
      place = join(parent, basename(target));
    }
    const link = await linkTarget(join(this.#directory, place));
    if (link !== undefined) return this.#place(resolve(parent, link), isDirectory);
    await makePlace(join(this.#directory, place), isDirectory);
    return place;
  }

  /**
   * Makes a directory exist for the step, as one of the root's own where `own` is set or the host does not have it, and
   * returns where it is when symbolic links are followed.
   */
  async #reach(path: string, { own }: { readonly own: boolean }): Promise<string> {
    let current = '/';
    let rest = segments(path);
    for (let next = rest.shift(); next !== undefined; next = rest.shift()) {
      const child = join(current, next);
      if (this.#mounts.has(child)) return join(child, ...rest);
      const isHosts = this.#binds.has(child);
      if (isHosts && !own && (await isRealDirectory(join(child, ...rest)))) return join(child, ...rest);
      const link = isHosts || this.#own.has(child) ? undefined : await linkTarget(join(this.#directory, child));
      if (link !== undefined) {
        rest = [...segments(resolve(current, link)), ...rest];
        current = '/';
        continue;
      }
      if (isHosts) {
        this.#binds.delete(child);
        await this.#makeOwn(child, 0o755);
        await this.#fill(child);
      } else if (!this.#own.has(child)) {
        await this.#makeOwn(child, 0o755);
      }
      current = child;
    }
    return current;
  }

  #mountAround(path: string): string | undefined {
    return [...this.#mounts].filter((mount) => isWithin(path, mount)).sort((a, b) => b.length - a.length)[0];
  }

  async #makeOwn(path: string, mode: number): Promise<void> {
    this.#own.add(path);
    await mkdir(join(this.#directory, path), { recursive: true, mode });
  }

  /** Gives a directory of the root's own what the host has in it. Single files beside the top directories are left out. */
  async #fill(path: string): Promise<void> {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      const from = join(path, entry.name);
      const to = join(this.#directory, from);
      if (entry.isSymbolicLink()) {
        await symlink(await readlink(from), to);
      } else if (entry.isDirectory() || path !== '/') {
        await makePlace(to, entry.isDirectory());
        this.#binds.set(from, { source: from, readOnly: false });
      }
    }
  }
}

async function makePlace(path: string, isDirectory: boolean): Promise<void> {
  await mkdir(isDirectory ? path : dirname(path), { recursive: true, mode: 0o755 });
  if (isDirectory) return;
  await writeFile(path, '', { flag: 'wx' }).catch((error: unknown) => {
    if (codeOf(error) !== 'EEXIST') throw error;
  });
}

async function linkTarget(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch {
    return undefined;
  }
}

/** A directory that is reached without a symbolic link; mounting through one would leave the root. */
async function isRealDirectory(path: string): Promise<boolean> {
  try {
    return (await realpath(path)) === path && (await lstat(path)).isDirectory();
  } catch {
    return false;
  }
}

function segments(path: string): string[] {
  return path.split('/').filter((segment) => segment !== '');
}

/** fstab separates by white space and knows octal escapes. */
function escaped(path: string): string {
  return path.replaceAll(/[\s\\#]/g, (character) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`);
}
