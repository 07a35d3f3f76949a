import { s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { ageColumn } from './columns.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const namespaceSchema = s.object({
  spec: s.optional(
    s.object(
      {
        finalizers: s.optional(
          s.array(s.string(), {
            description: 'What must let go before the namespace disappears.',
            'x-kubernetes-list-type': 'atomic',
          }),
        ),
      },
      { description: 'How the namespace behaves.' },
    ),
  ),
  status: s.optional(
    s.object(
      {
        phase: s.optional(s.string({ description: 'Active, or Terminating while its content is being deleted.' })),
        conditions: s.optional(
          s.listMap(
            s.object({
              type: s.string({ description: 'What the condition is about.' }),
              status: s.string({ description: 'True, False or Unknown.' }),
              lastTransitionTime: s.optional(s.time({ description: 'When the status last changed.' })),
              reason: s.optional(s.string({ description: 'One word for programs.' })),
              message: s.optional(s.string({ description: 'One sentence for people.' })),
            }),
            ['type'],
            {
              description: 'What keeps the namespace from disappearing.',
              'x-kubernetes-patch-strategy': 'merge',
              'x-kubernetes-patch-merge-key': 'type',
            },
          ),
        ),
      },
      { description: 'Where the namespace is in its life.' },
    ),
  ),
});

export interface Namespace extends KubeObject, Static<typeof namespaceSchema> {}

export const namespaces: ResourceType = { group: '', version: 'v1', plural: 'namespaces', kind: 'Namespace', namespaced: false };

/** Keeps a namespace until its content is gone. */
export const namespaceFinalizer = 'kubernetes';

const nameLabel = 'kubernetes.io/metadata.name';

export const namespaceDefinition: KindDefinition<Namespace> = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  names: { plural: 'namespaces', singular: 'namespace', shortNames: ['ns'] },
  scope: 'Cluster',
  description: 'Namespace gives names a scope: objects inside it disappear with it.',
  schema: namespaceSchema,
  strategy: {
    nameRule: 'dns1123label',
    allowUnconditionalUpdate: true,
    prepareForCreate(namespace) {
      const finalizers = namespace.spec?.finalizers ?? [];
      namespace.spec = {
        ...namespace.spec,
        finalizers: finalizers.includes(namespaceFinalizer) ? finalizers : [...finalizers, namespaceFinalizer],
      };
      namespace.status = { phase: 'Active' };
      labelWithName(namespace);
    },
    prepareForUpdate: labelWithName,
  },
  columns: [
    { name: 'Status', type: 'string', description: 'The phase of the namespace.', value: (namespace) => namespace.status?.phase },
    ageColumn,
  ],
  subresources: { status: true },
  selectableFields: ['status.phase'],
  strategicMergePatch: true,
  ...protobufBodies('v1', 'Namespace'),
};

/** Lets label selectors pick namespaces by name, as in Kubernetes. */
function labelWithName(namespace: Namespace): void {
  if (namespace.metadata.name === undefined) return;
  namespace.metadata.labels = { ...namespace.metadata.labels, [nameLabel]: namespace.metadata.name };
}
