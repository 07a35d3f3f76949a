import { artifactTypes, clusterArtifactTypes, endpoints, orders, type AnyArtifactType, type Endpoint, type Order } from '@arc/api/arc';
import { clusterWorkflowTemplates, workflowTemplates } from '@arc/api/argo';
import { orUndefined } from './apis.ts';
import { some, type Check } from './check.ts';

/** Whether the templates are there that artifact types name. */
export const typesCheck: Check = {
  id: 'types',
  title: 'Artifact types',
  async look({ client, signal }) {
    const types = [
      ...(await client.list<AnyArtifactType>(clusterArtifactTypes, { signal })).items,
      ...(await client.list<AnyArtifactType>(artifactTypes, { signal })).items,
    ];
    if (types.length === 0) {
      return [
        {
          verdict: 'warning',
          seen: 'there are none, so no Order can be carried out',
          remedy: 'Apply some of examples/, such as examples/oci.',
        },
      ];
    }
    const lacking: string[] = [];
    for (const { metadata, spec } of types) {
      const { name = '', clusterScope } = spec?.workflowTemplateRef ?? {};
      const { namespace } = metadata;
      const isShared = clusterScope === true || namespace === undefined;
      const template = isShared
        ? client.get(clusterWorkflowTemplates, { name }, { signal })
        : client.get(workflowTemplates, { namespace, name }, { signal });
      if ((await orUndefined(template)) === undefined)
        lacking.push(`${metadata.name ?? ''} (${isShared ? 'cluster' : ''}workflowtemplate/${name})`);
    }
    if (lacking.length === 0) return [{ verdict: 'ok', seen: `${types.length}, whose templates are all there` }];
    return [
      {
        verdict: 'failed',
        seen: `templates are missing of ${some(lacking)}`,
        remedy: 'Apply the templates, or correct workflowTemplateRef.',
      },
    ];
  },
};

/** Whether Endpoints can be used. */
export const endpointsCheck: Check = {
  id: 'endpoints',
  title: 'Endpoints',
  async look({ client, signal }) {
    const { items } = await client.list<Endpoint>(endpoints, { signal });
    const bad = items.flatMap(({ metadata, status }) => {
      const ready = status?.conditions?.find(({ type }) => type === 'Ready');
      return ready?.status === 'False' ? [`${metadata.namespace ?? ''}/${metadata.name ?? ''} (${ready.reason})`] : [];
    });
    if (bad.length === 0) return [{ verdict: 'ok', seen: `${items.length}, none of which is known to be unusable` }];
    return [
      { verdict: 'warning', seen: `not ready: ${some(bad)}`, remedy: 'arcctl endpoint test NAME -n NAMESPACE says what to do about one.' },
    ];
  },
};

/** How Orders are doing. */
export const ordersCheck: Check = {
  id: 'orders',
  title: 'Orders',
  async look({ client, signal }) {
    const { items } = await client.list<Order>(orders, { signal });
    const counts = new Map<string, number>();
    for (const { status } of items) counts.set(status?.phase ?? 'Unknown', (counts.get(status?.phase ?? 'Unknown') ?? 0) + 1);
    const seen = [...counts].sort().map(([phase, count]) => `${count} ${phase}`);
    const failed = items
      .filter(({ status }) => status?.phase === 'Failed')
      .map(({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`);
    if (failed.length === 0) return [{ verdict: 'ok', seen: seen.length === 0 ? 'there are none' : seen.join(', ') }];
    return [
      {
        verdict: 'warning',
        seen: `${seen.join(', ')}; failed: ${some(failed)}`,
        remedy: 'arcctl order tree NAME says why, arcctl order retry NAME tries again.',
      },
    ];
  },
};
