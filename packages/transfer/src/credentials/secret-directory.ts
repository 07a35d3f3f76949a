import { codeOf } from '@arc/kernel';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { anonymous, type CredentialSource, fixedCredential } from '../auth/credential.ts';
import type { TlsOptions } from '../http/wire.ts';
import { TransferError } from '../transfer-error.ts';
import { parseDockerCfg, parseDockerConfig } from './docker-config.ts';

/** What a mounted Secret says about how to reach its endpoint. */
export interface EndpointSecret {
  readonly credentials: CredentialSource;
  /** From `ca.crt`, `tls.crt` and `tls.key`. */
  readonly tls: TlsOptions;
  /** Which keys were used, for logs; never their values. */
  readonly keys: readonly string[];
}

/**
 * Reads a directory with one file a key, as Kubernetes mounts Secrets: `username` and `password` (or `token` as the
 * password), `token` alone (a bearer token), `.dockerconfigjson` / `config.json`, or the old `.dockercfg`; besides them `ca.crt`, `tls.crt`
 * and `tls.key`. A directory that is missing or empty means anonymous.
 *
 * @throws TransferError `InvalidCredentials`, never quoting a value
 */
export async function readSecretDirectory(directory: string): Promise<EndpointSecret> {
  const names = [
    'username',
    'password',
    'token',
    '.dockerconfigjson',
    'config.json',
    '.dockercfg',
    'ca.crt',
    'tls.crt',
    'tls.key',
  ] as const;
  const values = await readKeys(directory, names);
  return { credentials: readCredentials(values, directory), tls: tlsOf(values), keys: names.filter((name) => values.has(name)) };
}

/** The keys that are there, as they are. @throws TransferError `InvalidCredentials` for what may not be read */
export async function readKeys(directory: string, names: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(names.map(async (name) => [name, await readKey(join(directory, name))] as const));
  return new Map(found.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const])));
}

/** From `ca.crt`, `tls.crt` and `tls.key`. */
export function tlsOf(values: ReadonlyMap<string, string>): TlsOptions {
  const [ca, cert, key] = [values.get('ca.crt'), values.get('tls.crt'), values.get('tls.key')];
  return { ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert }), ...(key === undefined ? {} : { key }) };
}

function readCredentials(values: ReadonlyMap<string, string>, directory: string): CredentialSource {
  const username = oneLine(values.get('username'));
  const password = oneLine(values.get('password'));
  const token = oneLine(values.get('token'));
  if (username !== undefined) {
    const secret = password ?? token;
    if (secret !== undefined) return fixedCredential({ kind: 'basic', username, password: secret });
    throw new TransferError('InvalidCredentials', `the Secret at ${directory} has a username but neither password nor token`, {
      hint: 'Add the key password to the Secret.',
    });
  }
  for (const name of ['.dockerconfigjson', 'config.json']) {
    const text = values.get(name);
    if (text !== undefined) return parseDockerConfig(text, join(directory, name));
  }
  const old = values.get('.dockercfg');
  if (old !== undefined) return parseDockerCfg(old, join(directory, '.dockercfg'));
  if (token !== undefined) return fixedCredential({ kind: 'bearer', token });
  if (password !== undefined)
    throw new TransferError('InvalidCredentials', `the Secret at ${directory} has a password but no username`, {
      hint: 'Add the key username to the Secret.',
    });
  return anonymous;
}

/** Editors and `echo` leave a newline at the end; it is never part of a credential. */
export function oneLine(value: string | undefined): string | undefined {
  const trimmed = value?.replace(/\r?\n$/, '');
  return trimmed === '' ? undefined : trimmed;
}

async function readKey(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw new TransferError('InvalidCredentials', `cannot read ${path}: ${code ?? 'unknown error'}`, {
      hint: 'Check how the Secret is mounted and who may read it.',
    });
  }
}
