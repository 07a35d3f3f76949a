/** How much a Kubernetes client depends on something. */
export type Level = 'MUST' | 'SHOULD' | 'MAY';

/** One thing Kubernetes' clients expect of an API server, and how it is known whether this one does it. */
export interface ContractItem {
  /** The section or rule of the wire contract, which the names of its tests begin with. */
  readonly id: string;
  readonly level: Level;
  readonly what: string;
  /** What the names of the tests that show it begin with; each names at least one test. */
  readonly tests?: readonly string[];
  /** Why it does not apply to these servers. */
  readonly notApplicable?: string;
  /** What is not there, or there but not tested. */
  readonly missing?: string;
}

export interface ContractChapter {
  readonly title: string;
  readonly items: readonly ContractItem[];
}
