import * as supportTables from '../../packages/workflows/src/capabilities/support-tables.ts';
import type { Support, SupportTable } from '../../packages/workflows/src/capabilities/support-tables.ts';
import { codeList, page, prose, table } from './page.ts';
import type { ReferencePage } from './page.ts';

const titles: Readonly<Record<string, string>> = {
  specSupport: 'Workflow: `spec`, and the `spec` of templates',
  cronSupport: 'CronWorkflow: `spec`',
  templateSupport: 'An entry of `templates`',
  stepSupport: 'An entry of `steps`',
  containerSupport: '`container` and `script`',
  envSupport: 'An entry of `env`',
  envSourceSupport: '`env[].valueFrom`',
  volumeSupport: 'An entry of `volumes`',
  projectedSupport: 'An entry of `volumes[].projected.sources`',
  volumeMountSupport: 'An entry of `volumeMounts`',
  argumentsSupport: '`arguments`, `inputs` and `outputs`',
  outputParameterSupport: 'An entry of `outputs.parameters`',
  outputSourceSupport: '`outputs.parameters[].valueFrom`',
  retrySupport: '`retryStrategy`',
};

/** What the embedded engine makes of each field of an Argo manifest, from the tables it decides by. */
export function workflowSupportPage(): ReferencePage {
  const tables = Object.entries(supportTables).filter((entry): entry is [string, SupportTable] => !(entry[1] instanceof RegExp));
  const order = Object.keys(titles);
  return page('workflow-support.md', [
    '# Argo fields in embedded mode',
    [
      'Argo Workflows itself honours all of its fields; this page is about the engine inside `arcctl up`.',
      '**Supported** fields mean what they mean in Argo.',
      '**Ignored** ones are accepted and have no effect; the Workflow lists them in its condition `SpecWarning`.',
      'A Workflow with a **refused** field ends as `Error` before its first step, naming template, field and reason.',
      'A field in none of the tables is refused as unknown. Fields that are empty, `false` or `null` ask for nothing and are always accepted.',
    ].join('\n'),
    ...tables.toSorted(([a], [b]) => order.indexOf(a) - order.indexOf(b)).flatMap(([name, support]) => section(name, support)),
    '## Paths for `fieldRef`',
    "`metadata.name`, `metadata.namespace`, `metadata.uid`, `metadata.labels['KEY']`, `metadata.annotations['KEY']`, `spec.nodeName` and `spec.serviceAccountName`; others are refused.",
    '## Expressions',
    '`{{name}}` tags are replaced as in Argo. Tags that begin with `=` (`{{=...}}`) are refused. `when` understands the comparisons and logic.',
    'The `when` of a CronWorkflow may hold `{{cronworkflow.name}}`, `namespace`, `failed`, `succeeded`, `lastScheduledTime`, `labels.json` and `annotations.json`; `stopStrategy.expression` compares `cronworkflow.failed`, `succeeded`, `name` and `namespace`. A CronWorkflow that asks for more starts nothing and says so in its condition `SpecError`.',
  ]);
}

function section(name: string, support: SupportTable): string[] {
  const title = titles[name];
  if (title === undefined) throw new Error(`the support table ${name} needs a title in scripts/reference/workflow-support-page.ts`);
  const entries = Object.entries(support);
  const supported = entries.filter(([, { tier }]) => tier === 'supported').map(([field]) => field);
  return [
    `## ${title}`,
    supported.length === 0 ? '' : `Supported: ${codeList(supported)}.`,
    table(
      ['fields', '', 'why'],
      [...Map.groupBy(entries, ([, support]) => `${support.tier} ${reasonOf(support)}`).values()].flatMap((alike) => {
        const support = alike[0]?.[1];
        if (support === undefined || support.tier === 'supported') return [];
        return [[codeList(alike.map(([field]) => field)), support.tier, prose(reasonOf(support))]];
      }),
    ),
  ];
}

function reasonOf(support: Support): string {
  switch (support.tier) {
    case 'supported':
      return '';
    case 'ignored':
      return support.effect;
    case 'refused':
      return support.reason;
  }
}
