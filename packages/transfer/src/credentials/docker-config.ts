import type { Credential, CredentialSource } from '../auth/credential.ts';
import { TransferError } from '../transfer-error.ts';

interface Entry {
  readonly host: string;
  /** Repository prefix the entry is limited to; empty for the whole registry. */
  readonly path: string;
  readonly credential: Credential;
}

/**
 * Reads `auths` of a Docker or containers configuration file (`.dockerconfigjson`, `config.json`, `auth.json`). Of the
 * entries for a host the one with the longest matching path wins (containers-auth.json(5)).
 *
 * @throws TransferError `InvalidCredentials`, never quoting the file
 */
export function parseDockerConfig(text: string, file: string): CredentialSource {
  const document = parseJson(text, file, '{"auths": {"registry.example.org": {"auth": "..."}}}');
  return sourceOf((document as { auths?: unknown } | null)?.auths, file);
}

/**
 * Reads a `.dockercfg`, as Secrets of type `kubernetes.io/dockercfg` hold it: the entries without `auths` around them.
 *
 * @throws TransferError `InvalidCredentials`, never quoting the file
 */
export function parseDockerCfg(text: string, file: string): CredentialSource {
  return sourceOf(parseJson(text, file, '{"registry.example.org": {"auth": "..."}}'), file);
}

function parseJson(text: string, file: string, example: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TransferError('InvalidCredentials', `${file} is not valid JSON`, {
      hint: `It has to be a Docker configuration: ${example}.`,
    });
  }
}

function sourceOf(auths: unknown, file: string): CredentialSource {
  if (typeof auths !== 'object' || auths === null) {
    throw new TransferError('InvalidCredentials', `${file} has no "auths"`, {
      hint: 'Credential helpers cannot be used here: write the credentials themselves into the Secret.',
    });
  }
  const entries = Object.entries(auths).flatMap(([key, value]) => {
    const credential = readEntry(value, `${file}, auths[${JSON.stringify(key)}]`);
    return credential === undefined ? [] : [{ ...splitKey(key), credential }];
  });
  return { credentialFor: (host, repository) => longestMatch(entries, canonicalHost(host), repository) };
}

function longestMatch(entries: readonly Entry[], host: string, repository: string): Credential | undefined {
  const matching = entries.filter(
    (entry) => entry.host === host && (entry.path === '' || repository === entry.path || repository.startsWith(`${entry.path}/`)),
  );
  return matching.sort((a, b) => b.path.length - a.path.length)[0]?.credential;
}

/** Keys are hosts, hosts with a path, or the URLs of old Docker versions: `https://index.docker.io/v1/`. */
function splitKey(key: string): { host: string; path: string } {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  const slash = bare.indexOf('/');
  const host = slash === -1 ? bare : bare.slice(0, slash);
  const path = slash === -1 ? '' : bare.slice(slash + 1);
  return { host: canonicalHost(host), path: /^v[12]$/.test(path) ? '' : path };
}

function canonicalHost(host: string): string {
  return ['docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host) ? 'docker.io' : host.toLowerCase();
}

function readEntry(value: unknown, where: string): Credential | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { auth, username, password, identitytoken, registrytoken } = value as Readonly<Record<string, unknown>>;
  if (typeof identitytoken === 'string' && identitytoken !== '') return { kind: 'identity', token: identitytoken };
  if (typeof registrytoken === 'string' && registrytoken !== '') return { kind: 'bearer', token: registrytoken };
  if (typeof username === 'string' && typeof password === 'string' && username !== '') return { kind: 'basic', username, password };
  if (typeof auth !== 'string' || auth === '') return undefined;
  const decoded = Buffer.from(auth, 'base64')
    .toString('utf8')
    .replace(/\u0000+$/, '');
  const colon = decoded.indexOf(':');
  if (colon <= 0) throw new TransferError('InvalidCredentials', `${where} has an "auth" that is not base64 of user:password`);
  return { kind: 'basic', username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
