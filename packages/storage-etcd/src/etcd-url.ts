import { readFile } from 'node:fs/promises';
import { ArcError, messageOf } from '@arc/kernel';
import type { EtcdTls } from './client/endpoints.ts';
import type { EtcdCredentials } from './client/etcd-client.ts';
import type { RenamedGroup } from './etcd-layout.ts';
import type { EtcdStoreOptions } from './etcd-store.ts';

const parameters = ['cafile', 'certfile', 'group', 'keyfile', 'passwordfile', 'prefix', 'tls'];

/**
 * Reads `etcd://[USER[:PASSWORD]@]HOST:PORT[,HOST:PORT...][?PARAMETER=VALUE&...]`, user and password percent-encoded.
 * Parameters: `tls=true`, implied by `cafile`, `certfile` and `keyfile` (PEM files); `passwordfile`, read for every login; `prefix`, what takes the
 * place of `/registry` in etcd; `group`, what the group of the server is called there.
 *
 * @param options.group what it is called everywhere else; without one the parameter is refused
 * @throws ArcError `InvalidStorageUrl`, whose message never holds the password
 */
export async function etcdOptionsOf(url: string, options: { readonly group?: string } = {}): Promise<EtcdStoreOptions> {
  const match = /^etcd:\/\/(?:([^@/?#]*)@)?([^@/?#]+)\/?(?:\?([^#]*))?$/.exec(url);
  if (match === null) throw invalid('it is not of the form etcd://HOST:PORT[,HOST:PORT]');
  const [, user, hosts = '', query] = match;
  const values = new URLSearchParams(query);
  for (const name of values.keys()) {
    if (!parameters.includes(name)) throw invalid(`there is no parameter ${JSON.stringify(name)}`);
  }
  const tls = tlsOf(values);
  const prefix = values.get('prefix');
  if (prefix !== null && !/^(?:\/[^/]+)+$/.test(prefix)) throw invalid('prefix has to begin with a slash and not to end with one');
  const group = renamedGroupOf(values.get('group'), options.group);
  return {
    endpoints: hosts.split(','),
    ...(tls !== undefined && { tls }),
    ...(user !== undefined && { credentials: await credentialsOf(user, values.get('passwordfile')) }),
    layout: {
      ...(prefix !== null && { etcdPrefix: prefix }),
      ...(group !== undefined && { group }),
    },
  };
}

function renamedGroupOf(inEtcd: string | null, inStore: string | undefined): RenamedGroup | undefined {
  if (inEtcd === null) return undefined;
  if (inStore === undefined) throw invalid('this server has no group that may have another name');
  if (!/^[a-z\d-]+(?:\.[a-z\d-]+)+$/.test(inEtcd)) throw invalid('group has to be the name of an API group');
  return { inStore, inEtcd };
}

function tlsOf(values: URLSearchParams): EtcdTls | undefined {
  const wanted = values.get('tls');
  if (wanted !== null && wanted !== 'true' && wanted !== 'false') throw invalid('tls is true or false');
  const [caFile, certFile, keyFile] = [values.get('cafile'), values.get('certfile'), values.get('keyfile')];
  const files = { ...(caFile !== null && { caFile }), ...(certFile !== null && { certFile }), ...(keyFile !== null && { keyFile }) };
  if (Object.keys(files).length === 0) return wanted === 'true' ? {} : undefined;
  if (wanted === 'false') throw invalid('tls=false does not go with files for TLS');
  return files;
}

async function credentialsOf(part: string, passwordFile: string | null): Promise<EtcdCredentials> {
  const colon = part.indexOf(':');
  const user = decode(colon < 0 ? part : part.slice(0, colon));
  if (colon >= 0 && passwordFile === null) return { user, password: decode(part.slice(colon + 1)) };
  if (passwordFile === null) throw invalid(`no password is given for the user ${JSON.stringify(user)}`);
  const password = async (): Promise<string> => (await readFile(passwordFile, 'utf8')).replace(/\r?\n$/, '');
  try {
    await password();
  } catch (error) {
    throw invalid(`the password file cannot be read: ${messageOf(error)}`);
  }
  return { user, password };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('user and password have to be percent-encoded');
  }
}

function invalid(reason: string): ArcError {
  return new ArcError('InvalidStorageUrl', `the URL of the etcd cannot be used: ${reason}`, {
    hint: `Write etcd://HOST:PORT[,HOST:PORT], with USER@ and the parameters ${parameters.join(', ')} where needed.`,
  });
}
