import { fieldError, type KindDefinition, type KubeObject, s, type Static } from '@arc/apimachinery';

const widgetSchema = s.object({
  spec: s.object({
    size: s.integer(),
    color: s.optional(s.string({ default: 'red' })),
    parts: s.optional(s.listMap(s.object({ name: s.string(), count: s.optional(s.integer()) }), ['name'])),
  }),
  status: s.optional(s.object({ ready: s.optional(s.boolean()), note: s.optional(s.string()) })),
});

export interface Widget extends KubeObject, Static<typeof widgetSchema> {}

/** Behaves as a custom resource: a status subresource, a cross-field rule, an immutable field, a selectable one. */
const widgetDefinition: KindDefinition<Widget> = {
  group: 'demo.example.com',
  version: 'v1',
  kind: 'Widget',
  names: { plural: 'widgets', singular: 'widget', shortNames: ['wd'], categories: ['all'] },
  scope: 'Namespaced',
  description: 'Widget is something to test with.',
  schema: widgetSchema,
  strategy: {
    validate: ({ spec }) => (spec.size % 2 === 0 ? [fieldError.invalid('spec.size', spec.size, 'must be odd')] : []),
    warnings: ({ spec }) => (spec.size > 1_000 ? ['spec.size is "very" large'] : []),
  },
  columns: [
    { name: 'Size', type: 'integer', description: 'How big it is.', value: ({ spec }) => spec.size },
    { name: 'Age', type: 'date', description: 'How old it is.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
  ],
  subresources: { status: true },
  selectableFields: ['spec.color'],
};

const noteSchema = s.object({
  data: s.optional(s.map(s.string())),
  tags: s.optional(
    s.array(s.object({ name: s.string(), value: s.optional(s.string()) }), {
      'x-kubernetes-patch-strategy': 'merge',
      'x-kubernetes-patch-merge-key': 'name',
    }),
  ),
});

interface Note extends KubeObject, Static<typeof noteSchema> {}

/** Behaves as a core kind: plain data, strategic merge patch, unconditional updates. */
const noteDefinition: KindDefinition<Note> = {
  group: '',
  version: 'v1',
  kind: 'Note',
  names: { plural: 'notes', singular: 'note' },
  scope: 'Namespaced',
  description: 'Note is plain data.',
  schema: noteSchema,
  strategy: { allowUnconditionalUpdate: true },
  strategicMergePatch: true,
  servedAlsoAs: [
    {
      definition: {
        group: 'memo.example.com',
        version: 'v1',
        kind: 'Memo',
        names: { plural: 'memos', singular: 'memo' },
        scope: 'Namespaced',
        description: 'Memo is the same as a Note.',
        schema: s.object({ content: s.optional(s.map(s.string())) }),
      },
      fromStored: (object) => {
        const { data, ...rest } = object as Note;
        return { ...rest, apiVersion: 'memo.example.com/v1', kind: 'Memo', ...(data !== undefined && { content: data }) };
      },
      toStored: (object) => {
        const { content, ...rest } = object as KubeObject & { content?: Record<string, string> };
        return { ...rest, apiVersion: 'v1', kind: 'Note', ...(content !== undefined && { data: content }) };
      },
    },
  ],
};

/** The smallest namespace kind the lifecycle rules work on. */
const namespaceDefinition: KindDefinition = {
  group: '',
  version: 'v1',
  kind: 'Namespace',
  names: { plural: 'namespaces', singular: 'namespace', shortNames: ['ns'] },
  scope: 'Cluster',
  description: 'Namespace gives names a scope.',
  schema: s.object({
    spec: s.optional(s.object({ finalizers: s.optional(s.array(s.string())) })),
    status: s.optional(s.object({ phase: s.optional(s.string()) })),
  }),
  strategy: {
    nameRule: 'dns1123label',
    allowUnconditionalUpdate: true,
    prepareForCreate: (namespace) => Object.assign(namespace, { spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }),
  },
  subresources: { status: true },
  strategicMergePatch: true,
};

const anyReview = { group: 'authorization.k8s.io', version: 'v1', scope: 'Cluster', verbs: ['create'] } as const;

/** Kinds that are questions. */
const reviewDefinitions: readonly KindDefinition[] = [
  {
    ...anyReview,
    kind: 'SelfSubjectAccessReview',
    names: { plural: 'selfsubjectaccessreviews', singular: 'selfsubjectaccessreview' },
    description: 'SelfSubjectAccessReview asks whether the caller may do something.',
    schema: s.object({ spec: s.freeForm(), status: s.optional(s.freeForm()) }),
  },
  {
    ...anyReview,
    kind: 'SelfSubjectRulesReview',
    names: { plural: 'selfsubjectrulesreviews', singular: 'selfsubjectrulesreview' },
    description: 'SelfSubjectRulesReview asks what the caller may do.',
    schema: s.object({ spec: s.freeForm(), status: s.optional(s.freeForm()) }),
  },
];

export const testKinds: readonly KindDefinition[] = [namespaceDefinition, widgetDefinition, noteDefinition, ...reviewDefinitions];

export function widget(name: string, spec: Partial<Widget['spec']> = {}, metadata: Widget['metadata'] = {}): Widget {
  return { apiVersion: 'demo.example.com/v1', kind: 'Widget', metadata: { name, ...metadata }, spec: { size: 1, ...spec } };
}
