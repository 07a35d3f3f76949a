import { leases } from '@arc/api/core';
import type { Lease } from '@arc/api/core';
import type { KubeClient } from '@arc/kube-client';

/** The Lease of the controllers. */
export async function leaseOf(client: KubeClient): Promise<NonNullable<Lease['spec']>> {
  return (await client.get<Lease>(leases, { namespace: 'kube-system', name: 'arc-controllers' })).spec ?? {};
}

/** Whether the server behind the client says that it leads. */
export async function leads(client: KubeClient): Promise<boolean> {
  const { body } = await client.raw({ path: '/metrics' });
  const metrics = (await Array.fromAsync(body, (chunk) => Buffer.from(chunk).toString())).join('');
  return metrics.includes('leader_election_master_status{name="arc-controllers"} 1');
}
