import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { isObject, type UnstructuredObject } from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';

/** Where a standalone server keeps what it knows of the credentials that were handed out. */
export const credentialNamespace = 'kube-system';
export const tokenSecretType = 'arc.opendefense.cloud/user-token';
export const certificateSecretType = 'arc.opendefense.cloud/user-certificate';

/** Whom a credential stands for. `groups` without those every authentication adds. */
export interface CredentialSubject {
  readonly user: string;
  readonly groups: readonly string[];
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

export interface TokenRecord extends CredentialSubject {
  readonly hash: Uint8Array;
}

export interface CertificateRecord extends CredentialSubject {
  readonly revoked: boolean;
}

const tokenShape = /^arc_([0-9a-f]{16})_[A-Za-z0-9_-]{43}$/;

/**
 * Makes a bearer token of 256 random bits and the Secret by which the server knows it, which holds only its SHA-256.
 * @throws ArcError `ReservedName` for users and groups of the system, which no token can stand for.
 */
export function issueToken(subject: CredentialSubject): { readonly token: string; readonly secret: UnstructuredObject } {
  assertNotReserved(subject);
  const id = randomBytes(8).toString('hex');
  const token = `arc_${id}_${randomBytes(32).toString('base64url')}`;
  const secret = credentialSecret(tokenSecretName(id), tokenSecretType, subject, { hash: hashOf(token).toString('base64') });
  return { token, secret };
}

/**
 * The Secret by which a client certificate can be listed and revoked.
 * @param serialNumber hexadecimal.
 * @throws ArcError `ReservedName`.
 */
export function certificateSecret(serialNumber: string, subject: CredentialSubject): UnstructuredObject {
  assertNotReserved(subject);
  return credentialSecret(certificateSecretName(serialNumber), certificateSecretType, subject, {});
}

/** The patch that makes the server refuse a certificate from now on. */
export function revocationPatch(): { readonly data: Readonly<Record<string, string>> } {
  return { data: { revoked: base64('true') } };
}

/** The name of the Secret of a token; undefined when the text cannot be one of ours. */
export function secretNameOfToken(token: string): string | undefined {
  const id = tokenShape.exec(token)?.[1];
  return id === undefined ? undefined : tokenSecretName(id);
}

export function certificateSecretName(serialNumber: string): string {
  return `user-certificate-${serialNumber.toLowerCase()}`;
}

/** Compares in a time that does not depend on where they differ. */
export function tokenMatches(token: string, { hash }: TokenRecord): boolean {
  const presented = hashOf(token);
  return hash.length === presented.length && timingSafeEqual(presented, hash);
}

/** Undefined when the Secret is something else or does not say what it must. Never throws. */
export function readTokenSecret(secret: Readonly<Record<string, unknown>>): TokenRecord | undefined {
  const subject = secret['type'] === tokenSecretType ? readSubject(secret) : undefined;
  const hash = dataOf(secret, 'hash');
  return subject === undefined || hash === undefined ? undefined : { ...subject, hash: Buffer.from(hash, 'base64') };
}

/** As `readTokenSecret`, for certificates. */
export function readCertificateSecret(secret: Readonly<Record<string, unknown>>): CertificateRecord | undefined {
  const subject = secret['type'] === certificateSecretType ? readSubject(secret) : undefined;
  return subject === undefined ? undefined : { ...subject, revoked: dataOf(secret, 'revoked') === 'true' };
}

function tokenSecretName(id: string): string {
  return `user-token-${id}`;
}

function credentialSecret(
  name: string,
  type: string,
  { user, groups, expires }: CredentialSubject,
  more: Readonly<Record<string, string>>,
): UnstructuredObject {
  const data = { user, groups: JSON.stringify(groups), expires: new Date(expires).toISOString(), ...more };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace: credentialNamespace },
    type,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
  };
}

/**
 * Names of the system are refused at reading too: who may write Secrets must not be able to make a token that is a
 * member of system:masters.
 */
function readSubject(secret: Readonly<Record<string, unknown>>): CredentialSubject | undefined {
  const user = dataOf(secret, 'user') ?? '';
  const groups = textsIn(dataOf(secret, 'groups') ?? '[]');
  const expires = Date.parse(dataOf(secret, 'expires') ?? '');
  if (user === '' || groups === undefined || Number.isNaN(expires) || [user, ...groups].some(isReserved)) return undefined;
  return { user, groups, expires };
}

function textsIn(json: string): readonly string[] | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
  } catch {
    return undefined;
  }
}

function dataOf(secret: Readonly<Record<string, unknown>>, key: string): string | undefined {
  const { data } = secret;
  const value = isObject(data) ? data[key] : undefined;
  return typeof value === 'string' ? Buffer.from(value, 'base64').toString() : undefined;
}

function isReserved(name: string): boolean {
  return name.startsWith('system:');
}

function assertNotReserved({ user, groups }: CredentialSubject): void {
  const reserved = [user, ...groups].find(isReserved);
  if (reserved === undefined) return;
  throw new ArcError('ReservedName', `no credential can be issued for ${reserved}: names that begin with system: belong to the server`, {
    hint: 'Choose another name and give it its rights with a RoleBinding or ClusterRoleBinding.',
  });
}

function hashOf(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
