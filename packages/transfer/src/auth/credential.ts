/** What proves who we are to one registry. */
export type Credential =
  | { readonly kind: 'basic'; readonly username: string; readonly password: string }
  /** Sent as it is: `Authorization: Bearer`. */
  | { readonly kind: 'bearer'; readonly token: string }
  /** Exchanged for bearer tokens at the registry's token service (an OAuth2 refresh token). */
  | { readonly kind: 'identity'; readonly token: string };

/** Finds the credential for a repository; undefined means anonymous. `host` is `name[:port]`. */
export interface CredentialSource {
  credentialFor(host: string, repository: string): Credential | undefined;
}

export const anonymous: CredentialSource = { credentialFor: () => undefined };

/** The same credential everywhere. The transport sends it to the endpoint's own origin only. */
export function fixedCredential(credential: Credential): CredentialSource {
  return { credentialFor: () => credential };
}
