import type { KindDefinition, KubeObject, StructuralSchema } from '@arc/apimachinery';
import { arcApiVersion, arcKinds } from '@arc/api/arc';
import { argoKinds } from '@arc/api/argo';
import { coreKinds } from '@arc/api/core';
import { rbacKinds } from '@arc/api/rbac';
import { code, codeList, page, prose, table } from './page.ts';
import type { ReferencePage } from './page.ts';
import { emptySample, schemaFields } from './schema-fields.ts';
import type { SchemaField } from './schema-fields.ts';

/** Every kind a standalone server serves, from the definitions the server itself is given. */
export function kindsPage(): ReferencePage {
  return page('kinds.md', [
    '# Kinds',
    `ARC's own kinds are in \`${arcApiVersion}\`. \`kubectl explain KIND.FIELD\` says the same about a running server.`,
    summaryTable(arcKinds),
    'In the column "required", *yes* is what the schema demands; *checked* means that an object without the field is refused unless another field stands in for it.',
    ...arcKinds.flatMap(kindSection),
    '## Argo Workflows',
    'What `spec` may hold in embedded mode is in [workflow-support.md](workflow-support.md).',
    summaryTable(argoKinds),
    ...argoKinds.flatMap(shortSection),
    '## Core',
    'The kinds of Kubernetes a server without a cluster needs. Behind an aggregation layer the cluster has its own.',
    summaryTable([...coreKinds, ...rbacKinds]),
    ...[...coreKinds, ...rbacKinds].flatMap(shortSection),
  ]);
}

function apiVersionOf({ group, version }: KindDefinition): string {
  return group === '' ? version : `${group}/${version}`;
}

function summaryTable(kinds: readonly KindDefinition[]): string {
  return table(
    ['kind', 'group and version', 'resource', 'short names', 'scope', 'verbs'],
    kinds.flatMap((kind) => {
      const also = kind.servedAlsoAs?.map(({ definition }) => definition) ?? [];
      return [kind, ...also].map((served) => [
        served.kind,
        apiVersionOf(served),
        served.names.plural,
        codeList(served.names.shortNames ?? []),
        served.scope === 'Namespaced' ? 'namespaced' : 'cluster',
        served.verbs?.join(', ') ?? 'all',
      ]);
    }),
  );
}

function kindSection(kind: KindDefinition): string[] {
  const categories = kind.names.categories ?? [];
  const facts = [
    categories.length === 0 ? '' : `In the categories: ${codeList(categories)}.`,
    kind.subresources?.status === true ? 'Has the subresource `status`.' : '',
    `Fields for \`--field-selector\`: ${codeList(['metadata.name', ...(kind.scope === 'Namespaced' ? ['metadata.namespace'] : []), ...(kind.selectableFields ?? [])])}.`,
  ];
  return [
    `## ${kind.kind}`,
    prose(kind.description),
    facts.filter((fact) => fact !== '').join(' '),
    columnTable(kind),
    ...Object.entries(kind.schema.properties ?? {}).flatMap(([name, schema]) => [
      `### ${kind.kind} ${name}`,
      fieldTable(kind, name, schema),
    ]),
  ];
}

function columnTable({ columns = [] }: KindDefinition): string {
  return table(
    ['column', 'meaning', 'shown'],
    columns.map(({ name, description, priority = 0 }) => [name, prose(description), priority === 0 ? 'always' : 'with `-o wide`']),
  );
}

function fieldTable(kind: KindDefinition, name: string, schema: StructuralSchema): string {
  const checked = fieldsChecked(kind);
  const fields = schemaFields({ properties: { [name]: schema } });
  return fields.length === 1
    ? prose(schema.description ?? 'A free-form object.')
    : table(
        ['field', 'type', 'required', 'meaning'],
        fields.slice(1).map((field) => [code(field.path), field.type, requirement(field, checked), meaning(field.schema)]),
      );
}

function requirement({ path, required }: SchemaField, checked: ReadonlySet<string>): string {
  if (checked.has(path)) return 'checked';
  return required ? 'yes' : '';
}

function meaning(schema: StructuralSchema): string {
  const parts = [prose(schema.description ?? schema.items?.description ?? '')];
  if (schema.enum !== undefined) parts.push(`One of ${codeList(schema.enum.map(String))}.`);
  if (schema.default !== undefined)
    parts.push(`Default: ${code(typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default))}.`);
  return parts.filter((part) => part !== '').join(' ');
}

/** The fields the kind's own rules miss in an empty object, as paths with `[]` for any index. */
function fieldsChecked(kind: KindDefinition): ReadonlySet<string> {
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: {}, ...emptySample(kind.schema) } as KubeObject;
  const errors = kind.strategy?.validate?.(object) ?? [];
  return new Set(errors.filter(({ reason }) => reason === 'FieldValueRequired').map(({ field }) => field.replaceAll(/\[\d+\]/g, '[]')));
}

/** For kinds that are not ours: what it is, and its top-level fields. */
function shortSection(kind: KindDefinition): string[] {
  const fields = Object.entries(kind.schema.properties ?? {});
  const selectable = kind.selectableFields ?? [];
  return [
    `### ${kind.kind}`,
    `${prose(kind.description)}${selectable.length === 0 ? '' : ` Fields for \`--field-selector\`: ${codeList(selectable)}.`}`,
    table(
      ['field', 'type', 'meaning'],
      fields.map(([name, schema]) => [code(name), schemaFields({ properties: { [name]: schema } })[0]?.type ?? '', meaning(schema)]),
    ),
  ];
}
