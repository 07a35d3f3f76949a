import type { Authenticator } from '../authn/authenticator.ts';
import type { Authorizer } from '../authz/authorizer.ts';

/**
 * Who makes a request, what they may do, and into which namespaces objects may go. Decided by the server itself
 * (`standaloneAccess`) or by the API server of its cluster (`delegatedAccess`).
 */
export interface AccessControl {
  readonly authenticator: Authenticator;
  /** Asked in order until one has an opinion; what nobody allows is denied. */
  readonly authorizers: readonly Authorizer[];
  /** Undefined: there are no namespaces that have to exist. */
  readonly namespaces: NamespaceLookup | undefined;
}

export interface NamespaceLookup {
  /** Undefined only when it is sure that there is no such namespace. */
  find(name: string, signal: AbortSignal): Promise<NamespaceState | undefined>;
}

export interface NamespaceState {
  readonly terminating: boolean;
}
