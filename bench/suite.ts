import { applies } from './benches/applies.ts';
import { arcctl } from './benches/arcctl.ts';
import type { Bench } from './benches/bench.ts';
import { gets } from './benches/gets.ts';
import { imageCopies } from './benches/image-copies.ts';
import { growth } from './benches/growth.ts';
import { listBaselines, lists } from './benches/lists.ts';
import { mixed } from './benches/mixed.ts';
import { orders } from './benches/orders.ts';
import { watcherMemory } from './benches/watcher-memory.ts';
import { watches } from './benches/watches.ts';
import { writes } from './benches/writes.ts';

/** Everything that is measured, in this order. */
export const suite: readonly Bench[] = [
  arcctl,
  gets,
  writes,
  applies,
  listBaselines,
  lists,
  watches,
  mixed,
  watcherMemory,
  growth,
  orders,
  imageCopies,
];
