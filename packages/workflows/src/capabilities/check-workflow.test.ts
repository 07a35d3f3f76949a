import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Template, WorkflowSpec } from '@arc/api/argo';
import { checkWorkflow } from './check-workflow.ts';
import { describeIgnored, describeRefusal } from './describe.ts';
import * as tables from './support-tables.ts';

const leaf = (extra: Record<string, unknown> = {}, container: Record<string, unknown> = {}): Template =>
  ({ name: 'leaf', container: { image: 'i', command: ['true'], ...container }, ...extra }) as Template;
const spec = (template: Template, extra: Partial<WorkflowSpec> = {}): WorkflowSpec => ({
  entrypoint: 'leaf',
  templates: [template],
  ...extra,
});
const refusedFields = (workflow: WorkflowSpec): readonly string[] => checkWorkflow(workflow).refused.map((finding) => finding.field);

test('what ARC’s own templates use is supported', () => {
  const report = checkWorkflow({
    entrypoint: 'main',
    arguments: { parameters: [{ name: 'srcType', value: 'oci' }] },
    volumes: [
      { name: 'src-secret-vol', secret: { secretName: 's' } },
      { name: 'dst-secret-vol', emptyDir: {} },
    ],
    volumeClaimTemplates: [{ metadata: { name: 'work' }, spec: { accessModes: ['ReadWriteOnce'] } }],
    templates: [
      { name: 'main', steps: [[{ name: 'pull', template: 'pull', when: '{{workflow.parameters.srcType}} == oci' }]] },
      {
        name: 'pull',
        retryStrategy: { limit: 3, backoff: { duration: '5s', factor: 2 } },
        script: {
          image: 'quay.io/skopeo/stable',
          command: ['sh', '-e'],
          source: 'skopeo copy "$A" "$B"',
          env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }],
          volumeMounts: [
            { name: 'src-secret-vol', mountPath: '/secrets/src' },
            { name: 'work', mountPath: '/data' },
          ],
        },
        outputs: { parameters: [{ name: 'r', globalName: 'arc-receipt', valueFrom: { path: '/tmp/r', default: '' } }] },
      },
    ],
  });
  assert.deepEqual(report, { refused: [], ignored: [] });
});

test('every refused and every unknown field is named with its template and reason', () => {
  for (const [name, support] of Object.entries(tables.templateSupport)) {
    const expected = support.tier === 'refused';
    if (support.tier === 'supported') continue;
    const report = checkWorkflow(spec(leaf({ [name]: { x: 1 } })));
    assert.equal(
      report.refused.some((finding) => finding.field === name && finding.template === 'leaf'),
      expected,
      name,
    );
  }
  assert.deepEqual(refusedFields(spec(leaf({ brandNew: 1 }))), ['brandNew']);
  assert.deepEqual(refusedFields(spec(leaf(), { onExit: 'leaf' } as Partial<WorkflowSpec>)), ['onExit']);
  const text = describeRefusal(checkWorkflow(spec(leaf({ daemon: true }))).refused);
  assert.equal(text, 'The embedded engine cannot run this Workflow: template "leaf" daemon: the embedded engine does not support it');
});

test('a step must not reach into the host', () => {
  assert.deepEqual(refusedFields(spec(leaf({}, { securityContext: { privileged: true } }))), ['container.securityContext.privileged']);
  assert.deepEqual(refusedFields(spec(leaf({ volumes: [{ name: 'h', hostPath: { path: '/' } }] }))), ['volumes[0].hostPath']);
  assert.deepEqual(refusedFields(spec(leaf(), { hostNetwork: true } as Partial<WorkflowSpec>)), ['hostNetwork']);
  const mount = leaf({ volumes: [{ name: 'v', emptyDir: {} }] }, { volumeMounts: [{ name: 'v', mountPath: '/a', subPath: '../b' }] });
  assert.deepEqual(refusedFields(spec(mount)), ['container.volumeMounts[0]']);
});

test('only what the entrypoint reaches counts; broken references are named', () => {
  const workflow: WorkflowSpec = {
    entrypoint: 'main',
    templates: [
      { name: 'main', steps: [[{ name: 'a', template: 'leaf' }], [{ name: 'a', template: 'nowhere' }]] },
      leaf(),
      { name: 'unused', dag: { tasks: [] }, plugin: { x: {} } },
    ],
  };
  assert.deepEqual(refusedFields(workflow), ['steps[1][0].template', 'steps[1][0].name']);
  assert.deepEqual(refusedFields({ templates: [leaf()] }), ['entrypoint']);
  assert.deepEqual(refusedFields(spec({ name: 'leaf' } as Template)), ['steps']);
});

test('expression tags are refused by name', () => {
  const [finding] = checkWorkflow(spec(leaf({}, { args: ['{{=asInt(x)}}'] }))).refused;
  assert.match(finding?.reason ?? '', /\{\{=asInt\(x\)\}\}/);
});

test('fields without effect are listed once; empty ones ask for nothing', () => {
  const report = checkWorkflow(
    spec(leaf({ nodeSelector: { a: 'b' }, daemon: false, hooks: {} }, { resources: { limits: {} } }), {
      podGC: { strategy: 'OnPodSuccess' },
    } as Partial<WorkflowSpec>),
  );
  assert.deepEqual(report.refused, []);
  assert.match(
    describeIgnored(report.ignored),
    /^3 fields have no effect here: spec\.podGC: .*; template "leaf" nodeSelector: .*; template "leaf" container\.resources: /,
  );
});
