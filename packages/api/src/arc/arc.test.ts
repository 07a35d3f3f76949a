import type { FieldError, KindDefinition, KubeObject, UnstructuredObject } from '@arc/apimachinery';
import { applyDefaults, objectSchemaOf, prune, validateSchema } from '@arc/apimachinery';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arcKinds, arcKindsWithin, parseRemoteURL } from './index.ts';
import type { Order } from './index.ts';

function definitionOf(kind: string): KindDefinition {
  const definition = arcKinds.find((candidate) => candidate.kind === kind);
  assert.ok(definition, kind);
  return definition;
}

function build(kind: string, spec: unknown): UnstructuredObject {
  const metadata = { name: 'x', ...(definitionOf(kind).scope === 'Namespaced' && { namespace: 'ns' }) };
  return { apiVersion: 'arc.opendefense.cloud/v1alpha1', kind, metadata, spec };
}

interface Admitted {
  readonly object: UnstructuredObject;
  readonly unknown: readonly string[];
  readonly errors: readonly FieldError[];
  readonly warnings: readonly string[];
}

/** What the server does with a new or changed object, as far as the definition decides it. */
function admit(kind: string, spec: unknown, old?: unknown): Admitted {
  const definition = definitionOf(kind);
  const object = build(kind, structuredClone(spec));
  const before: KubeObject | undefined = old === undefined ? undefined : build(kind, structuredClone(old));
  const schema = objectSchemaOf(definition);
  const unknown = prune(object, schema);
  applyDefaults(object, schema);
  const shape = validateSchema(object, schema, '');
  const { strategy } = definition;
  if (shape.length > 0) return { object, unknown, errors: shape, warnings: [] };
  if (before === undefined) strategy?.prepareForCreate?.(object);
  else strategy?.prepareForUpdate?.(object, before);
  const errors = [
    ...(strategy?.validate?.(object, before) ?? []),
    ...(before === undefined ? [] : (strategy?.validateUpdate?.(object, before) ?? [])),
  ];
  return { object, unknown, errors, warnings: strategy?.warnings?.(object, before) ?? [] };
}

function texts({ errors }: Admitted): string[] {
  return errors.map(({ field, message }) => `${field}: ${message}`);
}

test('how close runs may be is up to the server', () => {
  const kind = arcKindsWithin({ minimumCronInterval: 60_000 }).find((definition) => definition.kind === 'Order');
  const order = (schedule: string): Order => ({
    apiVersion: 'arc.opendefense.cloud/v1alpha1',
    kind: 'Order',
    metadata: { name: 'o' },
    spec: { defaults: { cron: { schedules: [schedule] } } },
  });
  assert.deepEqual(kind?.strategy?.validate?.(order('* * * * *')), []);
  assert.equal(kind?.strategy?.validate?.(order('@every 30s'))?.length, 1);
  assert.deepEqual(kind?.strategy?.validate?.(order('@every 30s'), order('@every 30s')), [], 'what is stored stays updatable');
});

test('every manifest upstream accepts is accepted and kept whole', () => {
  const cron = {
    timezone: 'Europe/Berlin',
    concurrencyPolicy: 'Forbid',
    startingDeadlineSeconds: 60,
    schedules: ['0 3 * * *', 'CRON_TZ=UTC 0 0 * * MON-FRI'],
    when: 'x',
  };
  const accepted: [kind: string, spec: unknown][] = [
    ['Order', {}],
    ['Order', { artifacts: [] }],
    [
      'Order',
      {
        defaults: { srcRef: { name: 's' }, dstRef: { name: 'd' }, cron },
        ttl: '720h',
        TTLSecondsAfterCompletion: 0,
        artifacts: [
          { type: 'oci', spec: { image: 'a:1', override: '', nested: { list: [1, { x: null }] } } },
          { type: 'helm', srcRef: { name: 's2' }, dstRefs: [{ name: 'd1' }, { name: 'd2' }], cron },
        ],
      },
    ],
    ['Endpoint', { type: 'oci', remoteURL: 'registry.example.com', usage: 'PullOnly', secretRef: { name: 'creds' } }],
    [
      'Endpoint',
      {
        type: 'oci',
        remoteURL: 'registry.example.com',
        usage: 'All',
        contacts: [{ name: 'Jo' }, { email: 'team@example.com', role: 'configuration' }],
        tls: {
          ca: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
          secretRef: { name: 'client' },
          serverName: 'registry.internal',
        },
        concurrency: 2,
        maxBytesPerSecond: 1000,
        validUntil: '2030-01-01T00:00:00Z',
      },
    ],
    ['ArtifactWorkflow', {}],
    [
      'ArtifactWorkflow',
      {
        type: 'oci',
        workflowTemplateRef: { name: 't', clusterScope: true },
        parameters: [{ name: 'a', value: '' }],
        srcSecretRef: { name: 's' },
        dstSecretRef: { name: '' },
        cron,
        ttlAfterFinished: '1h',
        ttlAfterFailed: '0s',
      },
    ],
    [
      'ArtifactType',
      {
        rules: { srcTypes: ['oci'], dstTypes: [] },
        parameters: [{ name: 'a', value: 'b' }],
        workflowTemplateRef: { name: 't' },
        ttlAfterFinished: '1h',
        ttlAfterFailed: '2h',
      },
    ],
    ['ArtifactType', { rules: { dstType: ['oci'] } }],
    [
      'ClusterArtifactType',
      { workflowTemplateRef: { name: 't', clusterScope: true }, parameters: [{ name: '', value: 'x' }], renderConfig: true },
    ],
  ];
  for (const [kind, spec] of accepted) {
    const admitted = admit(kind, spec);
    assert.deepEqual(texts(admitted), [], `${kind} ${JSON.stringify(spec)}`);
    assert.deepEqual(admitted.unknown, []);
    const { usage, ...rest } = admitted.object['spec'] as Record<string, unknown>;
    const expected = spec as Record<string, unknown>;
    assert.deepEqual(kind === 'Endpoint' ? { ...rest, usage } : admitted.object['spec'], expected);
  }
});

test('null means unset, but what the artifact says is kept as it is', () => {
  const admitted = admit('Order', {
    defaults: null,
    ttl: null,
    artifacts: [
      { type: 'oci', srcRef: { name: 's' }, dstRef: { name: 'd' }, cron: null, spec: { a: null } },
      { type: 'oci', srcRef: { name: 's' }, dstRef: { name: 'd' }, spec: null },
    ],
  });
  assert.deepEqual(texts(admitted), []);
  assert.deepEqual(admitted.object['spec'], {
    artifacts: [
      { type: 'oci', srcRef: { name: 's' }, dstRef: { name: 'd' }, spec: { a: null } },
      { type: 'oci', srcRef: { name: 's' }, dstRef: { name: 'd' } },
    ],
  });
});

test('what is wrong is said at its field', () => {
  const refs = { srcRef: { name: 's' }, dstRef: { name: 'd' } };
  const cases: [kind: string, spec: unknown, errors: (string | RegExp)[]][] = [
    [
      'Order',
      { artifacts: [{}] },
      ['spec.artifacts[0].type: Required value', 'spec.artifacts[0].srcRef: Required value', 'spec.artifacts[0].dstRef: Required value'],
    ],
    [
      'Order',
      {
        artifacts: [
          { ...refs, type: 'a' },
          { type: '', srcRef: { name: '' }, dstRef: { name: 'd' } },
        ],
      },
      ['spec.artifacts[1].type: Required value', 'spec.artifacts[1].srcRef: Required value'],
    ],
    ['Order', { defaults: refs, artifacts: [{ type: 'a' }] }, []],
    [
      'Order',
      { artifacts: [{ type: 'a', srcRef: { name: 's' }, dstRefs: [{ name: 'd' }, {}] }] },
      ['spec.artifacts[0].dstRefs[1].name: Required value'],
    ],
    [
      'Order',
      { artifacts: [{ type: 'a', ...refs, dstRefs: [{ name: 'd' }] }] },
      ['spec.artifacts[0].dstRef: Forbidden: may not be set together with dstRefs'],
    ],
    ['Order', { artifacts: [{ ...refs, type: 'a', spec: 'text' }] }, [/^spec\.artifacts\[0\]\.spec: .*must be of type object/]],
    [
      'Order',
      { ttl: '-1h', TTLSecondsAfterCompletion: -1 },
      [/^spec\.ttl: Invalid value: "-1h": must be greater than or equal to 0/, /^spec\.TTLSecondsAfterCompletion: /],
    ],
    ['Order', { ttl: 'soon' }, [/^spec\.ttl: Invalid value: "soon": must be a duration/]],
    ['Order', { defaults: { cron: {} } }, [/^spec\.defaults\.cron\.schedules: Required value/]],
    [
      'Order',
      {
        artifacts: [
          {
            ...refs,
            type: 'a',
            cron: {
              schedules: ['0 3 * *', '61 * * * *', '@sometimes', '@every x', '5-1 * * * *', '*/0 * * * *', 'CRON_TZ=Mars/Base 0 0 * * *'],
              timezone: 'Nowhere',
              concurrencyPolicy: 'Maybe',
              startingDeadlineSeconds: -1,
            },
          },
        ],
      },
      [
        /schedules\[0\]: .*expected exactly 5 fields, found 4/,
        /schedules\[1\]: .*minute "61" is not within 0-59/,
        /schedules\[2\]: .*unrecognized descriptor/,
        /schedules\[3\]: .*@every followed by a duration/,
        /schedules\[4\]: .*begins after its end/,
        /schedules\[5\]: .*step of zero/,
        /schedules\[6\]: .*unknown time zone "Mars\/Base"/,
        /cron\.timezone: Invalid value: "Nowhere"/,
        /cron\.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"/,
        /cron\.startingDeadlineSeconds: Invalid value: -1/,
      ],
    ],
    [
      'Order',
      {
        defaults: { ...refs, cron: { schedules: ['0,9 3 * * *'] } },
        artifacts: [
          { type: 'a', cron: { schedules: ['0 3 * * *', '5 3 29 2 *'] } },
          { type: 'a', cron: { schedules: ['@every 20m', '@daily'] } },
          { type: 'a', cron: { schedules: ['*/10 * * * *'], disabled: true } },
          { type: 'a', cron: { schedules: ['*/10 * * * *'] } },
          { type: 'a', cron: { disabled: true } },
          { type: 'a', cron: { schedules: Array.from({ length: 51 }, (_, hour) => `0 ${hour % 24} * * *`) } },
        ],
      },
      [
        'spec.defaults.cron.schedules[0]: Invalid value: "0,9 3 * * *": two runs may not be less than 10m apart',
        'spec.artifacts[0].cron.schedules: Invalid value: "0 3 * * *, 5 3 29 2 *": two runs may not be less than 10m apart, whichever of the schedules they are from',
        'spec.artifacts[1].cron.schedules: Invalid value: "@every 20m, @daily": two runs may not be less than 10m apart; an @every beside another schedule may come at any distance from it',
        /^spec\.artifacts\[2\]\.cron\.schedules: Forbidden: /,
        'spec.artifacts[5].cron.schedules: Invalid value: 51: at most 50 schedules are allowed',
      ],
    ],
    ['Endpoint', {}, ['spec.remoteURL: Required value']],
    ['Endpoint', { remoteURL: 'http://a b' }, [/^spec\.remoteURL: Invalid value: "http:\/\/a b"/]],
    ['Endpoint', { remoteURL: 'https://user:pw@[broken' }, [/^spec\.remoteURL: Invalid value: "https:\/\/\[broken"/]],
    [
      'Endpoint',
      { remoteURL: 'x', usage: 'push' },
      ['spec.usage: Unsupported value: "push": supported values: "PullOnly", "PushOnly", "All"'],
    ],
    [
      'Endpoint',
      {
        remoteURL: 'x',
        concurrency: 0,
        maxBytesPerSecond: -1,
        tls: { ca: 'not PEM', serverName: '10.0.0.1' },
        contacts: [{ role: 'owner' }, { name: 'Jo', email: 'nobody' }],
      },
      [
        'spec.concurrency: Invalid value: 0: must be greater than or equal to 1',
        'spec.maxBytesPerSecond: Invalid value: -1: must be greater than or equal to 1',
        'spec.tls.ca: Invalid value: "...": must be certificates in PEM',
        'spec.tls.serverName: Invalid value: "10.0.0.1": must be a DNS name such as registry.example.org',
        'spec.contacts[0].name: Required value: a name or an email is needed',
        'spec.contacts[1].email: Invalid value: "nobody": must be an email address',
      ],
    ],
    [
      'Endpoint',
      { remoteURL: 'x', tls: { ca: '-----BEGIN EC PRIVATE KEY-----\nhunter2\n-----END EC PRIVATE KEY-----' } },
      [/^spec\.tls\.ca: Invalid value: "\.\.\.": must not hold a private key/],
    ],
    [
      'Order',
      { artifacts: [{ ...refs, type: 'a', spec: { foo: 1, Foo: 2 } }] },
      ['spec.artifacts[0].spec: Invalid value: "specFoo": spec.foo and spec.Foo both become the parameter specFoo; rename one of them'],
    ],
    ['Order', { artifacts: [{ ...refs, type: 'a', spec: { foo: 1, Foo: null, f: { oo: [] } } }] }, []],
    [
      'ArtifactWorkflow',
      { parameters: [{ name: 'a' }, { name: 'b' }, { name: 'a' }] },
      ['spec.parameters[0].name: Duplicate value: "a"', 'spec.parameters[2].name: Duplicate value: "a"'],
    ],
    ['ArtifactType', { parameters: [{ name: '' }] }, ['spec.parameters[0].name: Required value']],
    [
      'ClusterArtifactType',
      { parameters: [{ name: 'a' }, { name: 'a' }], ttlAfterFailed: 'x' },
      [/parameters\[0\]\.name: Duplicate/, /parameters\[1\]\.name: Duplicate/, /^spec\.ttlAfterFailed: /],
    ],
  ];
  for (const [kind, spec, expected] of cases) {
    const actual = texts(admit(kind, spec));
    assert.equal(actual.length, expected.length, `${kind} ${JSON.stringify(spec)}: ${actual.join(' | ')}`);
    for (const [index, pattern] of expected.entries()) {
      if (typeof pattern === 'string') assert.equal(actual[index], pattern);
      else assert.match(actual[index] ?? '', pattern);
    }
    if (!actual.some((text) => text.includes('must be of type'))) {
      assert.deepEqual(texts(admit(kind, spec, spec)), [], `what is stored stays updatable: ${kind} ${JSON.stringify(spec)}`);
    }
  }
});

test('specs of runs and of namespaced types never change; order of keys is no change', () => {
  for (const kind of ['ArtifactWorkflow', 'ArtifactType']) {
    const spec = { workflowTemplateRef: { name: 't', clusterScope: true } };
    assert.deepEqual(texts(admit(kind, { workflowTemplateRef: { clusterScope: true, name: 't' } }, spec)), []);
    assert.deepEqual(texts(admit(kind, { workflowTemplateRef: { name: 'u' } }, spec)), [
      'spec: Forbidden: spec is immutable and cannot be updated',
    ]);
  }
  assert.deepEqual(texts(admit('ClusterArtifactType', { workflowTemplateRef: { name: 'u' } }, { workflowTemplateRef: { name: 't' } })), []);
  assert.deepEqual(texts(admit('ClusterArtifactType', { rules: { srcTypes: [''] } }, { workflowTemplateRef: { name: 't' } })), [
    'spec.rules.srcTypes[0]: Required value',
    'spec.workflowTemplateRef.name: Required value',
  ]);
});

test('what was stored before a rule became stricter stays updatable, but cannot get worse', () => {
  const old = { remoteURL: 'x', usage: 'push' };
  assert.deepEqual(texts(admit('Endpoint', { ...old, secretRef: { name: 'new' } }, old)), []);
  assert.deepEqual(texts(admit('Endpoint', { ...old, usage: 'pull' }, old)).length, 1);
  assert.deepEqual(texts(admit('Order', { artifacts: [{}, {}] }, { artifacts: [{}] })).length, 3, 'only what is new');
  const colliding = { type: 'a', srcRef: { name: 's' }, dstRef: { name: 'd' }, spec: { foo: 1, Foo: 2 } };
  assert.deepEqual(texts(admit('Order', { artifacts: [colliding], priority: 1 }, { artifacts: [colliding] })), []);
});

test('usage defaults to All', () => {
  assert.equal((admit('Endpoint', { remoteURL: 'x' }).object['spec'] as { usage?: string }).usage, 'All');
});

test('risky but legal input is warned about', () => {
  const wish = { defaults: { srcRef: { name: 's' }, dstRef: { name: 'd' } }, artifacts: [{ type: 'a', spec: { image: 'x' } }] };
  const warned: [kind: string, spec: unknown, warning: RegExp][] = [
    ['Endpoint', { remoteURL: 'http://x', secretRef: { name: 's' } }, /plain http/],
    ['Endpoint', { remoteURL: 'https://user:pw@x' }, /contains credentials/],
    ['Order', { artifacts: [] }, /transfers nothing/],
    ['ClusterArtifactType', {}, /cannot be transferred/],
    ['ArtifactType', { workflowTemplateRef: { name: 't' }, parameters: [{ name: 'dryRun', value: 'false' }] }, /no effect on dry runs/],
    ['ArtifactWorkflow', { parameters: [{ name: 'a', value: 'b' }] }, /nothing to run/],
    ['Endpoint', { remoteURL: 'http://x', tls: { serverName: 'a.example' } }, /spec\.tls has no effect/],
    ['Order', { ...wish, priority: 1000 }, /spec\.priority 1000 counts as 100/],
    ['Order', { ...wish, artifacts: [...wish.artifacts, ...wish.artifacts] }, /artifacts\[1\] asks for the same as spec\.artifacts\[0\]/],
    ['Order', { ...wish, defaults: { srcRef: { name: 'd' }, dstRefs: [{ name: 'c' }, { name: 'd' }] } }, /the same Endpoint "d"/],
    ['Order', { ...wish, ttl: '24h', defaults: { ...wish.defaults, cron: { schedules: ['@daily'] } } }, /with it its schedules/],
  ];
  for (const [kind, spec, warning] of warned) {
    const { warnings, errors } = admit(kind, spec);
    assert.deepEqual(errors, []);
    assert.match(warnings.join('\n'), warning);
    assert.doesNotMatch(warnings.join('\n'), /user:pw/);
  }
  assert.deepEqual(admit('Endpoint', { remoteURL: 'https://x', secretRef: { name: 's' } }).warnings, []);
  assert.deepEqual(admit('Order', wish).warnings, []);
});

test('remote URLs are read as people write them', () => {
  const cases: [text: string, href: string | undefined][] = [
    ['registry.example.com', 'https://registry.example.com/'],
    ['localhost:5000/path', 'https://localhost:5000/path'],
    ['http://127.0.0.1:5001', 'http://127.0.0.1:5001/'],
    ['s3://bucket/prefix', 's3://bucket/prefix'],
    ['oci://[::1]:5000', 'oci://[::1]:5000'],
    ['', undefined],
    ['https://', undefined],
    ['a b', undefined],
    ['https://x\u0000', undefined],
  ];
  for (const [text, href] of cases) assert.equal(parseRemoteURL(text)?.href, href, text);
});

test('cells show what matters', () => {
  const cells = (kind: string, object: Record<string, unknown>): unknown[] =>
    (definitionOf(kind).columns ?? []).map((column) => column.value({ ...build(kind, {}), ...object } as KubeObject));
  const creationTimestamp = '2026-01-01T00:00:00Z';
  const metadata = { name: 'x', creationTimestamp };
  assert.deepEqual(cells('Order', { metadata }), ['Pending', ...Array(5).fill(undefined), creationTimestamp]);
  assert.deepEqual(
    cells('Order', { metadata, status: { phase: 'Failed', message: 'why\nnot', counts: { total: 3, succeeded: 1, failed: 2 } } }),
    ['Failed', '1/3', 2, undefined, undefined, 'why', creationTimestamp],
  );
  const times = { lastScheduled: '2026-01-01T03:00:00Z', nextScheduled: '2026-01-02T03:00:00Z' };
  for (const kind of ['Order', 'ArtifactWorkflow']) {
    assert.deepEqual(
      cells(kind, { metadata, status: times }).filter((cell) => typeof cell === 'string' && cell.includes('03:00')),
      Object.values(times),
    );
  }
  assert.deepEqual(cells('ArtifactWorkflow', { metadata }), [undefined, 'Unknown', ...Array(4).fill(undefined), creationTimestamp]);
  assert.deepEqual(
    cells('Endpoint', {
      metadata,
      spec: {
        type: 'oci',
        remoteURL: 'https://u:p@h/x',
        secretRef: { name: 's' },
        contacts: [{ name: 'Jo', email: 'jo@example.com', role: 'owner' }],
      },
      status: { conditions: [{ type: 'Ready', status: 'False', message: 'down' }] },
    }),
    ['oci', 'https://h/x', 'All', 's', 'False', 'down', 'Jo <jo@example.com> (owner)', creationTimestamp],
  );
  assert.deepEqual(cells('ClusterArtifactType', { metadata, spec: { workflowTemplateRef: { name: 't' }, parameters: [{}] } }), [
    1,
    't (cluster scoped)',
    creationTimestamp,
  ]);
  assert.deepEqual(cells('ArtifactType', { metadata, spec: { workflowTemplateRef: { name: 't' } } }), [0, 't', creationTimestamp]);
});

test('short names clash neither with each other nor with those of Kubernetes and Argo', () => {
  const taken =
    'bs cm cs ep ev limits no ns po pv pvc quota rc sa svc crd crds ds deploy rs sts hpa cj csr ing netpol pdb pc sc wf wftmpl cwft clusterwftmpl cwf cronwf wfeb wfts wftr wfat app apps appset appproj'.split(
      ' ',
    );
  const names = arcKinds.flatMap(({ names: { shortNames = [], categories = [] } }) => {
    assert.deepEqual(categories, ['arc']);
    return shortNames;
  });
  assert.equal(new Set([...names, ...taken]).size, names.length + taken.length);
});
