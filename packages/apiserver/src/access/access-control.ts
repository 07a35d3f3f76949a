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
  /** Default: there are no limits to how many objects a namespace may have. */
  readonly quotas?: QuotaLedger;
}

export interface NamespaceLookup {
  /** Undefined only when it is sure that there is no such namespace. */
  find(name: string, signal: AbortSignal): Promise<NamespaceState | undefined>;
}

export interface NamespaceState {
  readonly terminating: boolean;
}

/** Counts the objects of namespaces against what these may have (wire contract 6.7). */
export interface QuotaLedger {
  /**
   * Charges one new object, unless it would be one too many. What is charged and then not stored is corrected by whoever counts.
   * @returns what would be exceeded.
   */
  charge(object: QuotaDemand, signal: AbortSignal): Promise<ExceededQuota | undefined>;
}

export interface QuotaDemand {
  readonly namespace: string;
  readonly group: string;
  readonly plural: string;
  /** Looks, and charges nothing. */
  readonly dryRun: boolean;
}

export interface ExceededQuota {
  /** Name of the ResourceQuota. */
  readonly quota: string;
  /** `count/<plural>.<group>`. */
  readonly resource: string;
  readonly used: string;
  readonly limited: string;
}
