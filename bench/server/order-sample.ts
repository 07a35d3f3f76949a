import { templateOf, type ObjectTemplate } from '../load/object-template.ts';

export const namespace = 'bench';
export const collection = `/apis/arc.opendefense.cloud/v1alpha1/namespaces/${namespace}/orders`;
/** Where the server keeps them. */
export const storedPrefix = `/registry/arc.opendefense.cloud/orders/${namespace}/`;

const artifact = (index: number): Record<string, unknown> => ({
  type: 'oci',
  srcRef: { name: 'upstream-registry' },
  dstRef: { name: 'protected-zone' },
  spec: { image: `registry.example.com/team-${index}/component-${index}@sha256:@@DIGEST@@` },
});

/** An Order with two artifacts: with what the server adds, close to the 1.5 KB that the budgets speak of. */
export const orderManifest: Readonly<Record<string, unknown>> = {
  apiVersion: 'arc.opendefense.cloud/v1alpha1',
  kind: 'Order',
  spec: { defaults: { srcRef: { name: 'upstream-registry' } }, artifacts: [0, 1].map(artifact) },
};

export const orderTemplate: ObjectTemplate = templateOf(orderManifest, namespace);
