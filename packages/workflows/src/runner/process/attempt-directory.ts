import { mkdir, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@arc/kernel';
import type { AttemptId, StopReason } from '../runner.ts';
import type { PathEntry } from './path-table.ts';
import type { ProcessIdentity } from './process-identity.ts';
import { parseIdentity } from './process-identity.ts';

/** What an attempt is, written before anything of it runs. Holds neither environment nor volume contents. */
export interface AttemptRecord extends AttemptId {
  readonly namespace: string;
  readonly workflowName: string;
  readonly nodeName: string;
  readonly podName: string;
  readonly command: readonly string[];
  readonly captureResult: boolean;
  readonly outputs: readonly { readonly name: string; readonly path: string }[];
  /** Where the paths the step sees lie on the host. */
  readonly paths: readonly PathEntry[];
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** How often this attempt has been started, this time included. */
  readonly runs: number;
}

/**
 * The files of one attempt:
 * - `attempt.json`, before the start; `identity` and `exit` by the supervisor; `stop.json` before the first signal;
 * - `root/` and `volumes/`, what the step sees; `stdout`, when it is kept; `fstab`, the mounts.
 */
export class AttemptDirectory {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  get root(): string {
    return join(this.path, 'root');
  }

  volume(name: string): string {
    return join(this.path, 'volumes', name);
  }

  async create(): Promise<void> {
    await mkdir(join(this.path, 'volumes'), { recursive: true, mode: 0o700 });
  }

  async writeRecord(record: AttemptRecord): Promise<void> {
    await this.#writeWhole('attempt.json', record);
  }

  async readRecord(): Promise<AttemptRecord | undefined> {
    return this.#readJson<AttemptRecord>('attempt.json');
  }

  async writeStop(reason: StopReason): Promise<void> {
    await this.#writeWhole('stop.json', reason);
  }

  async readStop(): Promise<StopReason | undefined> {
    return this.#readJson<StopReason>('stop.json');
  }

  async removeStop(): Promise<void> {
    await rm(join(this.path, 'stop.json'), { force: true });
  }

  async writeFstab(text: string): Promise<void> {
    await writeFile(join(this.path, 'fstab'), text, { mode: 0o600 });
  }

  /**
   * Takes the claim away from a supervisor that has not begun. True when it had not, and from then on never will.
   */
  async revoke(): Promise<boolean> {
    try {
      await writeFile(join(this.path, 'identity'), 'revoked\n', { flag: 'wx', mode: 0o600 });
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  }

  /** Undefined until the supervisor has written it whole. */
  async readIdentity(): Promise<ProcessIdentity | undefined> {
    const text = await this.#readText('identity');
    return text === undefined ? undefined : parseIdentity(text);
  }

  /** The exit code and when it was written; undefined while there is none, or not all of it. */
  async readExit(): Promise<{ readonly code: number; readonly at: number } | undefined> {
    const text = await this.#readText('exit');
    if (text === undefined || !/^\d+\n$/.test(text)) return undefined;
    return { code: Number(text), at: (await stat(join(this.path, 'exit'))).mtimeMs };
  }

  async readSetupError(): Promise<string | undefined> {
    return (await this.#readText('setup-error'))?.trim();
  }

  async readProgress(): Promise<string | undefined> {
    const text = (await this.#readText('root/argo/progress'))?.trim();
    return text !== undefined && /^\d+\/\d+$/.test(text) ? text : undefined;
  }

  async readStdout(): Promise<Buffer | undefined> {
    return readFile(join(this.path, 'stdout')).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
  }

  /** Secrets go as soon as the step has ended; the rest stays until it is released. */
  async removeVolumes(): Promise<void> {
    await rm(join(this.path, 'volumes'), { recursive: true, force: true });
  }

  async remove(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }

  /**
   * Removes an attempt that was taken back. It is moved away first: a supervisor that is still about to begin must find
   * neither its claim free nor its directory.
   */
  async retire(graveyard: string): Promise<void> {
    await mkdir(graveyard, { recursive: true, mode: 0o700 });
    const grave = join(await mkdtemp(join(graveyard, 'attempt-')), 'attempt');
    await rename(this.path, grave);
    await rm(grave, { recursive: true, force: true });
  }

  async #writeWhole(name: string, content: unknown): Promise<void> {
    const path = join(this.path, name);
    await writeFile(`${path}.new`, JSON.stringify(content), { mode: 0o600 });
    await rename(`${path}.new`, path);
  }

  async #readJson<T>(name: string): Promise<T | undefined> {
    const text = await this.#readText(name);
    if (text === undefined) return undefined;
    try {
      return JSON.parse(text) as T;
    } catch {
      return undefined;
    }
  }

  async #readText(name: string): Promise<string | undefined> {
    try {
      return await readFile(join(this.path, name), 'utf8');
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }
}
