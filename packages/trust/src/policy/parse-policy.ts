import { createHash } from 'node:crypto';
import { messageOf } from '@arc/kernel';
import { globMatcher } from '@arc/transfer';
import { parseDocument } from 'yaml';
import { parsePublicKey } from '../keys/public-key.ts';
import { readKeyring } from '../openpgp/keyring.ts';
import type { CertificateIdentity } from '../sigstore/identity.ts';
import { type KeylessVerifier, openTrustedRoot } from '../sigstore/trusted-root.ts';
import { Fields, invalid } from './fields.ts';
import { keyAuthority } from './policy.ts';
import type { AttestationRequirement, Authority, Policy, ProvenanceRequirement, Rule, SignatureRequirement } from './policy.ts';

/** Reads a file that a policy names: a key of the Secret that is mounted for it. Undefined when there is none. */
export type ReadTrustFile = (name: string) => Promise<Buffer | undefined>;

interface Context {
  readonly file: (name: string, path: string) => Promise<Buffer>;
  readonly root: KeylessVerifier | undefined;
}

/**
 * Reads a verification policy: YAML or JSON. Unknown fields, keys that come twice, lists that are empty and rules that demand
 * nothing without saying so are refused.
 *
 * @throws ArcError `InvalidPolicy`, `InvalidKey` or `InvalidTrustedRoot`, naming the field
 */
export async function parsePolicy(text: string, readFile: ReadTrustFile): Promise<Policy> {
  const document = parseDocument(text, { uniqueKeys: true, prettyErrors: false, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) throw invalid('', `cannot be read: ${error.message}`);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    throw invalid('', `cannot be read: ${messageOf(error)}`);
  }
  const fields = new Fields(value, '');
  const file = async (name: string, path: string): Promise<Buffer> => {
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) throw invalid(path, `is ${JSON.stringify(name)}, not the name of a key of the Secret`);
    const bytes = await readFile(name);
    if (bytes === undefined) throw invalid(path, `names ${JSON.stringify(name)}, which the Secret with trusted keys does not have`);
    return bytes;
  };
  const root = await readTrustedRoot(fields, file);
  const entries = fields.list('rules');
  if (entries.length === 0) throw invalid('', 'has no rules');
  const rules: Rule[] = [];
  for (const [entry, path] of entries) rules.push(await readRule(new Fields(entry, path), { file, root }));
  fields.end();
  return { rules, digest: `sha256:${createHash('sha256').update(text).digest('hex')}` };
}

async function readTrustedRoot(fields: Fields, file: Context['file']): Promise<KeylessVerifier | undefined> {
  const value = fields.take('trustedRoot');
  if (value === undefined) return undefined;
  if (typeof value !== 'string') return openTrustedRoot(value, 'trustedRoot');
  const text = (await file(value, 'trustedRoot')).toString('utf8');
  try {
    return await openTrustedRoot(JSON.parse(text), value);
  } catch (error) {
    if (error instanceof SyntaxError) throw invalid('trustedRoot', `names ${value}, which is not valid JSON`);
    throw error;
  }
}

async function readRule(fields: Fields, context: Context): Promise<Rule> {
  const name = fields.text('name');
  const match = fields.take('match');
  const patterns: unknown[] = Array.isArray(match) ? match : [match];
  if (patterns.length === 0 || !patterns.every((pattern) => typeof pattern === 'string' && pattern !== ''))
    throw invalid(fields.at('match'), 'is not a pattern for repositories, such as "registry.example.org/team/*", or a list of them');
  const matchers = (patterns as string[]).map(globMatcher);
  const acceptsUnsigned = fields.text('accept');
  if (acceptsUnsigned !== undefined && acceptsUnsigned !== 'unsigned') throw invalid(fields.at('accept'), 'can only be "unsigned"');
  const signatures = fields.has('signatures')
    ? await readSignatures(new Fields(fields.take('signatures'), fields.at('signatures')), context)
    : undefined;
  const attestations: AttestationRequirement[] = [];
  for (const [entry, path] of fields.list('attestations')) attestations.push(await readAttestation(new Fields(entry, path), context));
  const provenance = fields.has('provenance')
    ? await readProvenance(new Fields(fields.take('provenance'), fields.at('provenance')), context)
    : undefined;
  fields.end();
  const demands = signatures !== undefined || attestations.length > 0 || provenance !== undefined;
  if (!demands && acceptsUnsigned === undefined) throw invalid(fields.path, 'demands nothing; say accept: unsigned if that is meant');
  if (demands && acceptsUnsigned !== undefined) throw invalid(fields.path, 'demands something and accepts what is unsigned');
  return {
    name: name === undefined ? fields.path : `${fields.path} (${name})`,
    matches: (repository) => matchers.some((matches) => matches(repository)),
    acceptsUnsigned: acceptsUnsigned !== undefined,
    signatures,
    attestations,
    provenance,
  };
}

async function readSignatures(fields: Fields, context: Context): Promise<SignatureRequirement> {
  const common = await readCommon(fields, context);
  const signedAs = fields.text('signedAs');
  fields.end();
  const matches = signedAs === undefined || signedAs === 'source' ? undefined : globMatcher(signedAs);
  return {
    ...common,
    signedAs:
      signedAs === undefined ? undefined : (reference, source) => (matches === undefined ? reference === source : matches(reference)),
  };
}

async function readAttestation(fields: Fields, context: Context): Promise<AttestationRequirement> {
  const predicateType = fields.requiredText('predicateType');
  const common = await readCommon(fields, context);
  fields.end();
  return { ...common, predicateType };
}

async function readCommon(fields: Fields, context: Context): Promise<Omit<SignatureRequirement, 'signedAs'>> {
  const by: Authority[] = [];
  for (const [entry, path] of fields.list('by')) by.push(await readAuthority(new Fields(entry, path), context));
  if (by.length === 0) throw invalid(fields.path, 'does not say by whom');
  const names = by.map((authority) => (authority.kind === 'key' ? authority.key.id : authority.name));
  if (new Set(names).size < names.length) throw invalid(fields.at('by'), 'names somebody twice');
  const atLeast = fields.take('atLeast') ?? 1;
  if (typeof atLeast !== 'number' || !Number.isInteger(atLeast) || atLeast < 1 || atLeast > by.length)
    throw invalid(fields.at('atLeast'), `is not a whole number from 1 to ${by.length}, the number of those who may sign`);
  return { by, atLeast, on: fields.choice('on', ['reference', 'platforms', 'all']) };
}

async function readAuthority(fields: Fields, context: Context): Promise<Authority> {
  const kinds = (['key', 'keyFile', 'issuer'] as const).filter((name) => fields.has(name));
  if (kinds.length !== 1) throw invalid(fields.path, 'is not exactly one of key, keyFile, or issuer with a subject');
  const name = fields.text('name');
  const authority = kinds[0] === 'issuer' ? readIdentity(fields, name, context) : await readKey(fields, name, context);
  fields.end();
  return authority;
}

async function readKey(fields: Fields, name: string | undefined, context: Context): Promise<Authority> {
  const file = fields.text('keyFile');
  const pem = file === undefined ? fields.requiredText('key') : (await context.file(file, fields.at('keyFile'))).toString('utf8');
  const key = parsePublicKey(pem, `the verification policy: ${fields.at(file === undefined ? 'key' : 'keyFile')}`);
  const logged = fields.choice('transparencyLog', ['ignored', 'required']) === 'required';
  if (logged && context.root === undefined)
    throw invalid(fields.at('transparencyLog'), 'is required, and the policy has no trustedRoot to check entries of logs with');
  return keyAuthority(key, name ?? file, logged ? context.root : undefined);
}

function readIdentity(fields: Fields, name: string | undefined, context: Context): Authority {
  const issuer = fields.requiredText('issuer');
  const subject = fields.text('subject');
  const pattern = fields.text('subjectPattern');
  if ((subject === undefined) === (pattern === undefined)) throw invalid(fields.path, 'has not exactly one of subject and subjectPattern');
  if (context.root === undefined)
    throw invalid(fields.path, 'is an identity, and the policy has no trustedRoot to check certificates with');
  let expression: RegExp | undefined;
  try {
    // Anchored: a pattern that matches somewhere inside would also match what an attacker may choose.
    expression = pattern === undefined ? undefined : new RegExp(`^(?:${pattern})$`, 'v');
  } catch {
    throw invalid(fields.at('subjectPattern'), 'is not a regular expression');
  }
  return {
    kind: 'identity',
    name: name ?? `${subject ?? pattern ?? ''} (${issuer})`,
    root: context.root,
    matches: (identity: CertificateIdentity) =>
      identity.issuer === issuer && (expression?.test(identity.subject) ?? identity.subject === subject),
  };
}

async function readProvenance(fields: Fields, context: Context): Promise<ProvenanceRequirement> {
  const file = fields.text('keyringFile');
  const inline = fields.text('keyring');
  if ((file === undefined) === (inline === undefined)) throw invalid(fields.path, 'has not exactly one of keyring and keyringFile');
  const keyring = file === undefined ? Buffer.from(inline ?? '') : await context.file(file, fields.at('keyringFile'));
  fields.end();
  try {
    return { keys: readKeyring(keyring) };
  } catch (error) {
    throw invalid(fields.at(file === undefined ? 'keyring' : 'keyringFile'), `cannot be used: ${messageOf(error)}`);
  }
}
