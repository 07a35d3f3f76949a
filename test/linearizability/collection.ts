/** A ConfigMap of the run. */
export interface StoredConfigMap {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data?: { readonly value?: string };
}

/** The ConfigMaps of a namespace that only the run writes to. Revisions are counted from the moment before its first write. */
export interface Collection {
  readonly path: string;
  readonly base: number;
}

export function revisionOf({ metadata }: Pick<StoredConfigMap, 'metadata'>, { base }: Collection): number {
  return Number(metadata.resourceVersion) - base;
}
