import { readFileSync } from 'node:fs';
import { sharedOptions } from '@arc/composition/program';
import type { ProgramDefinition } from '@arc/composition/program';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string };

/** `arc-apiserver`. Storage, audit and schedules are told as `arcctl up` is told them. */
export const program: ProgramDefinition = {
  name: 'arc-apiserver',
  summary: 'Serve the ARC API behind the aggregation layer of a cluster, whose API server says who may do what',
  version,
  options: [
    {
      flags: '--kubeconfig <file>',
      description: 'how to reach the API server of the cluster; default: as the service account of the pod, then $KUBECONFIG',
    },
    { flags: '--context <name>', description: 'context of the kubeconfig to use' },
    { flags: '--listen <address>', description: 'address of the API; without a host on all interfaces', defaultValue: ':8443' },
    {
      flags: '--tls-cert-file <file>',
      description:
        'serving certificate, followed by those between it and its authority; it is followed when it changes; default: one is made',
    },
    { flags: '--tls-private-key-file <file>', description: 'its key' },
    {
      flags: '--serving-secret <name>',
      description:
        'instead: make a certificate, share it with other replicas in this Secret, renew it, and tell the APIService whom to trust',
    },
    {
      flags: '--service <name>',
      description: 'the Service of this server, for whose name that certificate is',
      defaultValue: 'arc-apiserver',
    },
    {
      flags: '--namespace <name>',
      description: 'where that Secret and the Service are; default: the namespace of the pod, or arc-system',
    },
    ...sharedOptions
      .storage('what is kept outlives this process unless it is memory:')
      .map((option) => (option.flags.startsWith('--storage <') ? { ...option, required: true as const } : option)),
    sharedOptions.cronInterval,
    ...sharedOptions.audit,
    {
      flags: '--enforce-quotas',
      description: 'refuse objects beyond the ResourceQuotas of their namespace: count/orders.arc.opendefense.cloud',
    },
    {
      flags: '--shutdown-delay <duration>',
      description: 'how long it goes on serving after it has said that it is not ready, so that load balancers notice',
      defaultValue: '5s',
    },
    sharedOptions.logLevel('info'),
  ],
  examples: [
    'arc-apiserver --storage postgres://arc@db.example.com/arc --tls-cert-file tls.crt --tls-private-key-file tls.key',
    'arc-apiserver --kubeconfig ./kubeconfig --storage etcd://127.0.0.1:2379 --listen 127.0.0.1:0',
  ],
  load: async () => (await import('./run.ts')).runApiServer,
};
