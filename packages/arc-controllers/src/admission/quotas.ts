import { maxActiveAnnotation, weightAnnotation } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import type { KubeObject } from '@arc/apimachinery';
import type { Informer } from '@arc/kube-client';
import { ownValue } from '../metadata/write-status.ts';
import type { Quota } from './job.ts';

/** The quota of a namespace: what its annotations say, else the default. Unreadable values count as absent. */
export function quotaOf(namespace: KubeObject | undefined, defaultMaxActive: number | undefined): Quota {
  const annotation = (name: string): number | undefined => {
    const value = Number(ownValue(namespace?.metadata.annotations, name) ?? Number.NaN);
    return Number.isFinite(value) && value > 0 ? value : undefined;
  };
  const maxActive = annotation(maxActiveAnnotation);
  return {
    weight: annotation(weightAnnotation),
    maxActive: maxActive === undefined ? defaultMaxActive : Math.max(1, Math.floor(maxActive)),
  };
}

/** How many runs may use an Endpoint, given as namespace/name, at the same time. */
export function endpointLimit(endpoints: Informer<Endpoint>, key: string, defaultLimit: number | undefined): number | undefined {
  const [namespace = '', name = ''] = key.split('/');
  const own = endpoints.get(namespace, name)?.spec?.concurrency;
  return own !== undefined && own > 0 ? own : defaultLimit;
}
