import type { Store } from '../store.ts';

/** How the suite gets at the stores of one kind. */
export interface StoreAdapter {
  /** Opens an empty store that nothing else uses. */
  open(): Promise<Store>;
  /** Ends `store` and opens it again over what it left behind. Kinds that outlive their process have this. */
  reopen?(store: Store): Promise<Store>;
  /** How other processes get at what a store holds. Kinds that several processes may use at once have this. */
  readonly sharing?: {
    /** Exports `openShared(address: string): Promise<Store>`. */
    readonly module: URL;
    /** One for each further process. */
    addressesOf(store: Store): readonly string[];
  };
  /** Whether revisions follow each other without gaps; default true. */
  readonly gapFree?: boolean;
}
