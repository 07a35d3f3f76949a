import type { ArtifactWorkflow, OrderRun, OrderStatus } from '@arc/api/arc';
import { hashOfName } from '../identity/names.ts';

/** How many deliveries that no object stands for are remembered for one Order; the newest win. */
const maxDeliveries = 500;

/**
 * What an Order has delivered and does not ask for at the moment. Whatever leaves the entries as delivered comes here, so
 * that asking for it again, after its ArtifactWorkflow is gone, transports nothing a second time.
 */
export function deliveriesOf(
  before: OrderStatus,
  entries: ReadonlyMap<string, OrderRun>,
  owned: readonly ArtifactWorkflow[],
): Record<string, string> {
  const remembered = new Map(Object.entries(before.deliveries ?? {}));
  for (const [hash, { phase, completionTime = epoch }] of Object.entries(before.artifactWorkflows ?? {})) {
    if (phase === 'Succeeded') remembered.set(hash, completionTime);
  }
  for (const hash of entries.keys()) remembered.delete(hash);
  const newest = [...remembered].sort(([, a], [, b]) => (a < b ? 1 : -1)).slice(0, maxDeliveries);
  const deliveries = new Map(newest);
  // The limit does not hold for these: an ArtifactWorkflow is let go only once it is recorded.
  for (const { metadata, status } of owned) {
    const hash = hashOfName(metadata.name ?? '');
    if (status?.phase === 'Succeeded' && !entries.has(hash)) deliveries.set(hash, status.completionTime ?? epoch);
  }
  return Object.fromEntries([...deliveries].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** True when the status of an Order says that this run has delivered. */
export function isRecorded(status: OrderStatus | undefined, run: ArtifactWorkflow): boolean {
  const { name = '' } = run.metadata;
  const entries = Object.values(status?.artifactWorkflows ?? {});
  return (
    entries.some((entry) => entry.name === name && entry.phase === 'Succeeded') || Object.hasOwn(status?.deliveries ?? {}, hashOfName(name))
  );
}

const epoch = '1970-01-01T00:00:00Z';
