import type { Endpoint } from '@arc/api/arc';
import type { Metrics } from '@arc/kernel';
import type { Informer } from '@arc/kube-client';

/** Where Endpoints are counted while controllers run. */
export interface EndpointMetrics {
  /** Counts these until disposed; of several the last counts. */
  follow(endpoints: Informer<Endpoint>): Disposable;
}

/** Counts Endpoints by whether they are ready, under the name of the reference (section 5), when somebody looks. */
export function endpointMetrics(metrics: Metrics): EndpointMetrics {
  let followed: Informer<Endpoint> | undefined;
  const gauge = metrics.gauge({ name: 'arc_endpoints', help: 'Endpoints by readiness.', labels: ['namespace', 'ready'] });
  /** What was shown the last time: what is gone since is shown as 0. */
  let shown = new Map<string, number>();
  metrics.beforeExposition(() => {
    const counts = new Map<string, number>([...shown.keys()].map((key) => [key, 0]));
    for (const { metadata, status } of followed?.list() ?? []) {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
      const key = `${metadata.namespace ?? ''}/${ready.toLowerCase()}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    for (const [key, count] of counts) {
      const [namespace = '', ready = ''] = key.split('/');
      gauge.set({ namespace, ready }, count);
    }
    shown = counts;
  });
  return {
    follow(endpoints) {
      followed = endpoints;
      return {
        [Symbol.dispose]: () => {
          if (followed === endpoints) followed = undefined;
        },
      };
    },
  };
}
