import { flushCompileCache } from 'node:module';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Ends what starting leaves behind, once, when it is over. Without it a server that has nothing to do keeps the young
 * generation that its start filled for good: resident memory when idle is 127 MB without and 110 MB with the collection, which
 * takes 55 to 70 ms of CPU time (Node 24). Compiled code is written now, as a process that is killed writes none at its end.
 */
export function settleMemory(): void {
  flushCompileCache();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { readonly type: 'major'; readonly flavor: 'last-resort' }) => void;
  setFlagsFromString('--no-expose-gc');
  // Only this flavour gives the pages of the young generation back, too.
  collect({ type: 'major', flavor: 'last-resort' });
}
