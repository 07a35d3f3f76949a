import { randomBytes } from 'node:crypto';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ArcError, codeOf, makePrivateDirectory, messageOf, writeFileAtomically } from '@arc/kernel';

const markerName = 'arc.json';
const formatVersion = 1;

/** Where `arcctl up` keeps everything; all paths are absolute or relative as the given root is. */
export interface DataDirectory {
  readonly root: string;
  /** The lock database that keeps a second process out. */
  readonly lockFile: string;
  readonly databaseFile: string;
  readonly pki: string;
  /** The HMAC key under which the controllers compare Secrets; secret. */
  readonly digestKeyFile: string;
  readonly kubeconfigFile: string;
  /** What tells this directory from every other. */
  readonly serverIdFile: string;
  /** The tenure as leader whose steps are in `workflows`. */
  readonly tenureFile: string;
  /** Attempts, volumes and logs of the workflow engine. */
  readonly workflows: string;
}

/**
 * Creates the directory when it does not exist (mode 0700) and checks that it is ours.
 *
 * @throws ArcError `BadDataDirectory` when it holds something else or was written by a newer version, `DataDirectoryUnusable`
 * when it cannot be read or written
 */
export async function openDataDirectory(root: string): Promise<DataDirectory> {
  const paths: DataDirectory = {
    root,
    lockFile: join(root, 'lock.db'),
    databaseFile: join(root, 'arc.db'),
    pki: join(root, 'pki'),
    digestKeyFile: join(root, 'pki', 'digest.key'),
    kubeconfigFile: join(root, 'kubeconfig'),
    serverIdFile: join(root, 'server-id'),
    tenureFile: join(root, 'workflows', 'tenure'),
    workflows: join(root, 'workflows'),
  };
  try {
    makePrivateDirectory(root);
    await checkMarker(root);
    for (const folder of [paths.pki, paths.workflows]) makePrivateDirectory(folder);
  } catch (error) {
    if (error instanceof ArcError) throw error;
    throw new ArcError('DataDirectoryUnusable', `the data directory ${root} cannot be used: ${messageOf(error)}`, {
      cause: error,
      hint: 'Check its owner and permissions, or name another one with --data-dir.',
    });
  }
  return paths;
}

async function checkMarker(root: string): Promise<void> {
  const marker = join(root, markerName);
  let text: string;
  try {
    text = await readFile(marker, 'utf8');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
    await refuseForeignContent(root);
    await chmod(root, 0o700);
    await writeFileAtomically(marker, `${JSON.stringify({ format: formatVersion })}\n`);
    return;
  }
  const format = readFormat(text);
  if (format === undefined) {
    throw new ArcError('BadDataDirectory', `${marker} is damaged: it does not name the format of the data directory`, {
      hint: `Restore it from a backup, or write {"format":${formatVersion}} into it if the directory is known to be of this version.`,
    });
  }
  if (format > formatVersion) {
    throw new ArcError('BadDataDirectory', `the data directory ${root} has format ${format}, this version knows up to ${formatVersion}`, {
      hint: 'Start the newer version of arcctl that wrote it, or name another directory with --data-dir.',
    });
  }
}

async function refuseForeignContent(root: string): Promise<void> {
  const names = await readdir(root);
  if (names.length === 0) return;
  throw new ArcError('BadDataDirectory', `${root} is not empty and is not a data directory of arcctl (it has no ${markerName})`, {
    hint: 'Name an empty or new directory with --data-dir. Nothing was changed.',
  });
}

function readFormat(text: string): number | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('format' in value)) return undefined;
    return Number.isInteger(value.format) ? Number(value.format) : undefined;
  } catch {
    return undefined;
  }
}

/** Reads a secret key of 32 bytes, making it on the first call. */
export async function loadOrCreateKey(file: string): Promise<Uint8Array> {
  try {
    return Buffer.from((await readFile(file, 'utf8')).trim(), 'base64');
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const key = randomBytes(32);
  await writeFileAtomically(file, `${key.toString('base64')}\n`);
  return key;
}
