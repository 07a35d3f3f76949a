import type { TlsOptions } from '../http/wire.ts';
import type { S3Credentials } from '../s3/signature-v4.ts';
import { TransferError } from '../transfer-error.ts';
import { oneLine, readKeys, tlsOf } from './secret-directory.ts';

/** What a mounted Secret says about how to reach a bucket. */
export interface BucketSecret {
  /** Undefined means that requests are not signed. */
  readonly access: S3Credentials | undefined;
  readonly region: string | undefined;
  readonly tls: TlsOptions;
}

/** Names of access key, secret key and session token, as Secrets for S3 are written; the first pair that is there counts. */
const shapes = [
  ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_SESSION_TOKEN'],
  ['ACCESS_KEY_ID', 'ACCESS_SECRET_KEY', 'ACCESS_SESSION_TOKEN'],
  ['accessKeyId', 'secretAccessKey', 'sessionToken'],
  ['accessKeyID', 'secretAccessKey', 'sessionToken'],
  ['accessKey', 'secretKey', 'sessionToken'],
  ['accesskey', 'secretkey', 'sessiontoken'],
  ['access_key', 'secret_key', 'session_token'],
  ['username', 'password', 'sessionToken'],
] as const;
const regionNames = ['AWS_REGION', 'AWS_DEFAULT_REGION', 'region'] as const;
/** Files as the tools of AWS keep them. */
const fileNames = ['credentials', 'cloud'] as const;

const bucketSecretKeys: readonly string[] = [...new Set([...shapes.flat(), ...regionNames, ...fileNames])];

/**
 * Reads a directory with one file a key, as Kubernetes mounts Secrets: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, with
 * temporary credentials, `AWS_SESSION_TOKEN`, or the same under other names that are in use; `AWS_REGION`; besides them
 * `ca.crt`, `tls.crt` and `tls.key`. A directory that is missing or empty means anonymous.
 *
 * @throws TransferError `InvalidCredentials`, never quoting a value
 */
export async function readBucketSecret(directory: string): Promise<BucketSecret> {
  const values = await readKeys(directory, [...bucketSecretKeys, 'ca.crt', 'tls.crt', 'tls.key']);
  return { ...bucketAccess((name) => values.get(name), `the Secret at ${directory}`), tls: tlsOf(values) };
}

/** The same of keys at hand. `where` is for messages. @throws TransferError `InvalidCredentials` */
export function bucketAccess(valueOf: (name: string) => string | undefined, where: string): Pick<BucketSecret, 'access' | 'region'> {
  const value = (name: string): string | undefined => oneLine(valueOf(name));
  const region = regionNames.map(value).find((name) => name !== undefined);
  for (const [id, secret, token] of shapes) {
    const [accessKeyId, secretAccessKey] = [value(id), value(secret)];
    if (accessKeyId === undefined) continue;
    if (secretAccessKey === undefined) {
      if (shapes.some(([otherId, otherSecret]) => otherId !== id && value(otherId) !== undefined && value(otherSecret) !== undefined))
        continue;
      throw new TransferError('InvalidCredentials', `${where} has the key ${id} but not ${secret}`, {
        hint: `Add the key ${secret} to the Secret.`,
      });
    }
    return { access: { accessKeyId: printable(accessKeyId, id, where), secretAccessKey, sessionToken: value(token) }, region };
  }
  for (const name of fileNames) {
    const text = valueOf(name);
    if (text !== undefined) return fromFile(text, `${name} of ${where}`, region);
  }
  const lonely = shapes.flatMap(([, secret]) => (value(secret) === undefined ? [] : [secret]))[0];
  if (lonely === undefined) return { access: undefined, region };
  throw new TransferError('InvalidCredentials', `${where} has the key ${lonely} but no access key`, {
    hint: 'Add the key AWS_ACCESS_KEY_ID to the Secret.',
  });
}

/** The profile `default` of a file as `~/.aws/credentials`. */
function fromFile(text: string, where: string, region: string | undefined): Pick<BucketSecret, 'access' | 'region'> {
  const fields = new Map<string, string>();
  let section = 'default';
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[\s*(?:profile\s+)?([^\]]*?)\s*\]/.exec(line)?.[1] ?? section;
    const field = /^\s*([a-z_]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (field !== null && section === 'default') fields.set(field[1] ?? '', field[2] ?? '');
  }
  const [accessKeyId, secretAccessKey] = [fields.get('aws_access_key_id'), fields.get('aws_secret_access_key')];
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new TransferError('InvalidCredentials', `${where} has no profile "default" with aws_access_key_id and aws_secret_access_key`, {
      hint: 'Write both keys into the Secret: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    });
  }
  const access = {
    accessKeyId: printable(accessKeyId, 'aws_access_key_id', where),
    secretAccessKey,
    sessionToken: fields.get('aws_session_token'),
  };
  return { access, region: region ?? fields.get('region') };
}

/** It goes into a header. */
function printable(value: string, name: string, where: string): string {
  if (/^[\u0021-\u002b\u002d\u002e\u0030-\u007e]{1,512}$/.test(value)) return value;
  throw new TransferError('InvalidCredentials', `the key ${name} of ${where} is no access key`, {
    hint: 'It has no spaces, slashes or line breaks; check how the Secret was made.',
  });
}
