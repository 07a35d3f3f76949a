/** Something that was found when a storage was looked through. */
export interface Finding {
  /** A problem is to be mended; information may be as it should. */
  readonly severity: 'problem' | 'information';
  /** What was looked at: `integrity`, `value`, `uid`, `owner`, ... */
  readonly check: string;
  readonly key?: string;
  readonly revision?: number;
  /** Never holds any of the content. */
  readonly message: string;
  readonly hint?: string;
}
