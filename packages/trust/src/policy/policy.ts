import type { TrustedKey } from '../keys/public-key.ts';
import type { SigningKey } from '../openpgp/keyring.ts';
import type { CertificateIdentity } from '../sigstore/identity.ts';
import type { KeylessVerifier } from '../sigstore/trusted-root.ts';

/** Somebody whose signature counts. */
export type Authority =
  | {
      readonly kind: 'key';
      readonly name: string;
      readonly key: TrustedKey;
      /** Whose logs have to hold its signatures, when any has to. */ readonly logs?: KeylessVerifier | undefined;
    }
  | { readonly kind: 'identity'; readonly name: string; readonly root: KeylessVerifier; matches(identity: CertificateIdentity): boolean };

/** Which digests have to be signed: that of the reference, each of its platforms, or both. */
export type Target = 'reference' | 'platforms' | 'all';

export interface SignatureRequirement {
  readonly by: readonly Authority[];
  /** How many different ones of `by` have to have signed. */
  readonly atLeast: number;
  readonly on: Target;
  /** How the signer must have called the image; undefined when it does not matter. */
  readonly signedAs: ((reference: string, source: string) => boolean) | undefined;
}

export interface AttestationRequirement extends Omit<SignatureRequirement, 'signedAs'> {
  readonly predicateType: string;
}

/** OpenPGP keys that may have signed the provenance file of a chart. */
export interface ProvenanceRequirement {
  readonly keys: readonly SigningKey[];
}

export interface Rule {
  /** `rules[0]`, and its name when it has one: for messages. */
  readonly name: string;
  readonly matches: (repository: string) => boolean;
  /** Nothing is demanded, on purpose. */
  readonly acceptsUnsigned: boolean;
  readonly signatures: SignatureRequirement | undefined;
  readonly attestations: readonly AttestationRequirement[];
  readonly provenance: ProvenanceRequirement | undefined;
}

/** What has to be signed by whom. The first rule that matches a repository decides; what no rule matches is refused. */
export interface Policy {
  readonly rules: readonly Rule[];
  /** SHA-256 of its text, by which receipts name it. */
  readonly digest: string;
}

/** @returns undefined when no rule speaks of the repository */
export function ruleFor(policy: Policy, repository: string): Rule | undefined {
  return policy.rules.find((rule) => rule.matches(repository));
}

/** Somebody who signs with a key. */
export function keyAuthority(key: TrustedKey, name = `key ${key.id}`, logs?: KeylessVerifier): Authority {
  return { kind: 'key', name, key, logs };
}

/** Everybody whom a rule names, each once. */
export function authoritiesOf(rule: Rule | undefined): readonly Authority[] {
  const all = [...(rule?.signatures?.by ?? []), ...(rule?.attestations ?? []).flatMap(({ by }) => by)];
  return [...new Map(all.map((authority) => [authority.kind === 'key' ? authority.key.id : authority.name, authority])).values()];
}
