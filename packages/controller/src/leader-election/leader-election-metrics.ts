import type { Metrics } from '@arc/kernel';
import type { LeaderElectionMetrics } from './run-while-leading.ts';

/** Tells who leads under the name client-go uses: 1 at the leader, 0 at those that wait. */
export function leaderElectionMetrics(metrics: Metrics): LeaderElectionMetrics {
  const status = metrics.gauge({
    name: 'leader_election_master_status',
    help: 'Whether this process holds the lease: 1 is leading, 0 is waiting.',
    labels: ['name'],
  });
  return { leading: (name, isLeading) => status.set({ name }, isLeading ? 1 : 0) };
}
