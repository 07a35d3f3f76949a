import { spawnSync } from 'node:child_process';
import { ArcError, codeOf } from '@arc/kernel';
import type { Credential, CredentialSource } from '@arc/transfer';
import type { Environment } from '../command.ts';

const answerLimitMs = 15_000;
const hubKey = 'https://index.docker.io/v1/';

/**
 * Credentials from the helper programs that a Docker configuration names (`credHelpers` for single registries, `credsStore` for the
 * others), asked for once a registry; `others` for registries without a helper. Undefined when the configuration names none.
 *
 * @throws ArcError `CredentialHelperFailed` from `credentialFor`, without what the helper printed
 */
export function helperCredentials(configuration: string, environment: Environment, others: CredentialSource): CredentialSource | undefined {
  const { credHelpers, credsStore } = helpersOf(configuration);
  if (credsStore === undefined && credHelpers.size === 0) return undefined;
  const known = new Map<string, Credential | undefined>();
  return {
    credentialFor: (host, repository) => {
      const name = isHub(host) ? (credHelpers.get('docker.io') ?? credHelpers.get('index.docker.io')) : credHelpers.get(host);
      const helper = name ?? credsStore;
      if (helper === undefined) return others.credentialFor(host, repository);
      if (!known.has(host)) known.set(host, ask(helper, isHub(host) ? hubKey : host, environment));
      return known.get(host) ?? others.credentialFor(host, repository);
    },
  };
}

function helpersOf(configuration: string): { readonly credHelpers: ReadonlyMap<string, string>; readonly credsStore: string | undefined } {
  let document: unknown;
  try {
    document = JSON.parse(configuration);
  } catch {
    return { credHelpers: new Map(), credsStore: undefined };
  }
  const { credHelpers, credsStore } = (document ?? {}) as { credHelpers?: unknown; credsStore?: unknown };
  const named = typeof credHelpers === 'object' && credHelpers !== null ? Object.entries(credHelpers) : [];
  return {
    credHelpers: new Map(named.flatMap(([host, helper]) => (typeof helper === 'string' ? [[host, helper] as const] : []))),
    credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : undefined,
  };
}

/** Speaks the protocol of docker-credential-helpers: the registry on stdin, JSON on stdout; no shell. Undefined when it knows none. */
function ask(helper: string, server: string, environment: Environment): Credential | undefined {
  const failed = (problem: string): ArcError =>
    new ArcError('CredentialHelperFailed', `the credential helper ${JSON.stringify(helper.slice(0, 60))} for ${server} ${problem}`, {
      hint: 'Log in again with the tool that set it up, or leave --credential-helpers out.',
    });
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$/.test(helper)) throw failed('does not have the name of a program');
  const { status, stdout, error } = spawnSync(`docker-credential-${helper}`, ['get'], {
    input: server,
    timeout: answerLimitMs,
    maxBuffer: 1024 * 1024,
    encoding: 'utf8',
    env: { ...environment },
  });
  if (error !== undefined) throw failed(codeOf(error) === 'ENOENT' ? 'is not installed' : 'cannot be run');
  if (status !== 0) {
    if (/credentials not found/i.test(stdout)) return undefined;
    throw failed(`ended with ${status ?? 'a signal'}`);
  }
  let answer: { Username?: unknown; Secret?: unknown } | null;
  try {
    answer = JSON.parse(stdout) as typeof answer;
  } catch {
    throw failed('did not answer with JSON');
  }
  const { Username: username, Secret: secret } = answer ?? {};
  if (typeof username !== 'string' || typeof secret !== 'string' || secret === '') return undefined;
  // That user name stands for an identity token (docker-credential-helpers).
  return username === '<token>' ? { kind: 'identity', token: secret } : { kind: 'basic', username, password: secret };
}

function isHub(host: string): boolean {
  return ['docker.io', 'index.docker.io', 'registry-1.docker.io'].includes(host);
}
