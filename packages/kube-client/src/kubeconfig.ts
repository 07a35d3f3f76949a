import { isObject, readPlainYaml } from '@arc/apimachinery/client';
import type { JsonObject } from '@arc/apimachinery/client';
import type { Clock } from '@arc/kernel';
import { ArcError, messageOf, systemClock } from '@arc/kernel';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import type { ClientConfig } from './client-config.ts';
import { rereading } from './reread.ts';

/** One kubeconfig file as it was read. */
export interface KubeconfigSource {
  /** Relative file names inside are relative to its folder; error messages name it. */
  readonly path: string;
  readonly text: string;
}

/** An entry of a kubeconfig and the file it comes from. */
export interface KubeconfigEntry {
  readonly value: JsonObject;
  readonly path: string;
}

export interface Kubeconfig {
  readonly currentContext: string | undefined;
  readonly contexts: ReadonlyMap<string, KubeconfigEntry>;
  readonly clusters: ReadonlyMap<string, KubeconfigEntry>;
  readonly users: ReadonlyMap<string, KubeconfigEntry>;
}

/**
 * Merges kubeconfigs as kubectl does: the first file that has an entry of a name, or a current context, decides it.
 *
 * @throws ArcError `InvalidKubeconfig`
 */
export async function loadKubeconfig(sources: readonly KubeconfigSource[]): Promise<Kubeconfig> {
  const contexts = new Map<string, KubeconfigEntry>();
  const clusters = new Map<string, KubeconfigEntry>();
  const users = new Map<string, KubeconfigEntry>();
  let currentContext: string | undefined;
  for (const source of sources) {
    const file = await parseKubeconfig(source);
    currentContext ??= textAt(file, 'current-context', source.path);
    collect(contexts, file, 'contexts', 'context', source.path);
    collect(clusters, file, 'clusters', 'cluster', source.path);
    collect(users, file, 'users', 'user', source.path);
  }
  return { currentContext, contexts, clusters, users };
}

/** @throws ArcError `InvalidKubeconfig` */
export async function parseKubeconfig({ path, text }: KubeconfigSource): Promise<JsonObject> {
  const value = readPlainYaml(text) ?? (await decode(path, text));
  if (value === null) return {};
  if (!isObject(value)) throw invalid(path, 'it is not a mapping');
  if (value['kind'] !== undefined && value['kind'] !== 'Config') throw invalid(path, `its kind is ${String(value['kind'])}, not Config`);
  return value;
}

async function decode(path: string, text: string): Promise<unknown> {
  const { decodeYaml } = await import('@arc/apimachinery/yaml');
  try {
    return decodeYaml(text).value;
  } catch (error) {
    throw invalid(path, messageOf(error), error);
  }
}

/**
 * What the named context (default: the current one) says about server and user. Reads the certificate, key and token
 * files it refers to; a token file is read again once a minute, as it may be rotated.
 *
 * @throws ArcError `NoContext`, `UnknownContext`, `InvalidKubeconfig`, `UnsupportedKubeconfig`
 */
export async function clientConfigOf(
  kubeconfig: Kubeconfig,
  options: { readonly context?: string; readonly clock?: Clock } = {},
): Promise<ClientConfig> {
  const name = options.context ?? kubeconfig.currentContext;
  if (name === undefined) {
    throw new ArcError('NoContext', 'the kubeconfig has no current context', {
      hint: `Choose one with --context; there is: ${[...kubeconfig.contexts.keys()].join(', ') || 'none'}.`,
    });
  }
  const context = kubeconfig.contexts.get(name);
  if (context === undefined) {
    throw new ArcError('UnknownContext', `the kubeconfig has no context ${JSON.stringify(name)}`, {
      hint: `It has: ${[...kubeconfig.contexts.keys()].join(', ') || 'none'}.`,
    });
  }
  const cluster = referenced(kubeconfig.clusters, 'cluster', context, name);
  const user = context.value['user'] === undefined ? undefined : referenced(kubeconfig.users, 'user', context, name);
  const namespace = textAt(context.value, 'namespace', context.path);
  return {
    ...(await clusterConfig(cluster)),
    ...(user !== undefined && (await userConfig(user, options.clock ?? systemClock))),
    ...(namespace !== undefined && { namespace }),
  };
}

async function clusterConfig({ value, path }: KubeconfigEntry): Promise<ClientConfig> {
  const server = textAt(value, 'server', path);
  if (server === undefined) throw invalid(path, 'a cluster has no server');
  if (value['proxy-url'] !== undefined) throw unsupported(path, 'a cluster with a proxy-url');
  const caPem = await pemOf(value, 'certificate-authority', path);
  const tlsServerName = textAt(value, 'tls-server-name', path);
  return {
    server,
    ...(caPem !== undefined && { caPem }),
    ...(tlsServerName !== undefined && { tlsServerName }),
    ...(value['insecure-skip-tls-verify'] === true && { insecureSkipTlsVerify: true }),
  };
}

async function userConfig({ value, path }: KubeconfigEntry, clock: Clock): Promise<Partial<ClientConfig>> {
  for (const [field, what] of [
    ['exec', 'a user whose credentials come from a program (exec)'],
    ['auth-provider', 'a user with an auth-provider'],
    ['username', 'a user with username and password'],
    ['as', 'a user that impersonates another (as)'],
  ] as const) {
    if (value[field] !== undefined && value[field] !== null) throw unsupported(path, what);
  }
  const certPem = await pemOf(value, 'client-certificate', path);
  const keyPem = await pemOf(value, 'client-key', path);
  if ((certPem === undefined) !== (keyPem === undefined)) {
    throw invalid(path, `a user has a client ${certPem === undefined ? 'key but no certificate' : 'certificate but no key'}`);
  }
  const token = textAt(value, 'token', path);
  const tokenFile = textAt(value, 'tokenFile', path);
  return {
    ...(certPem !== undefined && keyPem !== undefined && { clientCertificate: { certPem, keyPem } }),
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { token: rereading(() => contentOf(resolve(dirname(path), tokenFile), path), clock) }),
  };
}

/** `<field>-data` (base64) has precedence over the file that `<field>` names. */
async function pemOf(value: JsonObject, field: string, path: string): Promise<string | undefined> {
  const data = textAt(value, `${field}-data`, path);
  if (data !== undefined) return Buffer.from(data, 'base64').toString('utf8');
  const file = textAt(value, field, path);
  return file === undefined ? undefined : await contentOf(resolve(dirname(path), file), path);
}

async function contentOf(file: string, kubeconfigPath: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw invalid(kubeconfigPath, `it refers to ${file}, which cannot be read: ${messageOf(error)}`, error);
  }
}

function collect(into: Map<string, KubeconfigEntry>, file: JsonObject, list: string, field: string, path: string): void {
  const entries = file[list] ?? [];
  if (!Array.isArray(entries)) throw invalid(path, `${list} is not a list`);
  for (const entry of entries as readonly unknown[]) {
    if (!isObject(entry) || typeof entry['name'] !== 'string') throw invalid(path, `an entry of ${list} has no name`);
    const value = entry[field] ?? {};
    if (!isObject(value)) throw invalid(path, `${list} ${JSON.stringify(entry['name'])}: ${field} is not a mapping`);
    if (!into.has(entry['name'])) into.set(entry['name'], { value, path });
  }
}

function referenced(
  entries: ReadonlyMap<string, KubeconfigEntry>,
  field: 'cluster' | 'user',
  context: KubeconfigEntry,
  contextName: string,
): KubeconfigEntry {
  const name = textAt(context.value, field, context.path);
  const entry = name === undefined ? undefined : entries.get(name);
  if (entry !== undefined) return entry;
  const problem = name === undefined ? `names no ${field}` : `names the ${field} ${JSON.stringify(name)}, which does not exist`;
  throw invalid(context.path, `context ${JSON.stringify(contextName)} ${problem}`);
}

/** A text that is present and not empty. */
function textAt(value: JsonObject, field: string, path: string): string | undefined {
  const text = value[field];
  if (text === undefined || text === null || text === '') return undefined;
  if (typeof text !== 'string') throw invalid(path, `${field} is not a text`);
  return text;
}

function invalid(path: string, problem: string, cause?: unknown): ArcError {
  return new ArcError('InvalidKubeconfig', `cannot use the kubeconfig ${path}: ${problem}`, {
    hint: 'Correct the file, or name another one.',
    ...(cause !== undefined && { cause }),
  });
}

function unsupported(path: string, what: string): ArcError {
  return new ArcError('UnsupportedKubeconfig', `cannot use the kubeconfig ${path}: ${what} is not supported`, {
    hint: 'Use a context whose user has a client certificate, a token or a tokenFile.',
  });
}
