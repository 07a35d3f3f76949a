import type { Store } from '../store.ts';

/** How the suite gets at the stores of one kind. */
export interface StoreAdapter {
  /** Opens an empty store that nothing else uses. */
  open(): Promise<Store>;
  /** Ends `store` and opens it again over what it left behind. Kinds that outlive their process have this. */
  reopen?(store: Store): Promise<Store>;
  /** Whether revisions follow each other without gaps; default true. */
  readonly gapFree?: boolean;
}
