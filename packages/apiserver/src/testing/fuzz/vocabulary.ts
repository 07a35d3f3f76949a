export const methods = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];

export const segments = [
  ...['api', 'apis', 'v1', 'demo.example.com', 'memo.example.com', 'authorization.k8s.io', 'namespaces', 'ns', 'widgets', 'notes', 'memos'],
  ...['w1', 'n1', 'status', 'finalize', 'scale', 'log', 'selfsubjectaccessreviews', 'selfsubjectrulesreviews', 'openapi', 'v3', 'v2'],
  ...[
    'healthz',
    'readyz',
    'metrics',
    'version',
    '..',
    '.',
    '',
    '%2e%2e',
    '%00',
    '%2f',
    '%zz',
    '%ff',
    '%E2%82%AC',
    '__proto__',
    'constructor',
  ],
  ...['toString', '\u00e9'.normalize('NFD').replace(/[^ -~]/g, ''), 'a'.repeat(300), '-', '*', '~', '@', ':', ';', 'W1', '0'],
];

export const routes = [
  '/apis/demo.example.com/v1/namespaces/ns/widgets',
  '/apis/demo.example.com/v1/namespaces/ns/widgets/w1',
  '/apis/demo.example.com/v1/namespaces/ns/widgets/w1/status',
  '/apis/demo.example.com/v1/widgets',
  '/apis/memo.example.com/v1/namespaces/ns/memos',
  '/apis/memo.example.com/v1/namespaces/ns/memos/n1',
  '/api/v1/namespaces',
  '/api/v1/namespaces/ns2',
  '/api/v1/namespaces/ns2/finalize',
  '/api/v1/namespaces/ns/notes',
  '/api/v1/namespaces/ns/notes/n1',
  '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
  '/apis/authorization.k8s.io/v1/selfsubjectrulesreviews',
  '/openapi/v3',
  '/openapi/v3/apis/demo.example.com/v1',
  '/apis',
  '/readyz',
];

export const parameters = [
  ...[
    'watch',
    'limit',
    'continue',
    'resourceVersion',
    'resourceVersionMatch',
    'labelSelector',
    'fieldSelector',
    'timeoutSeconds',
    'timeout',
  ],
  ...['allowWatchBookmarks', 'sendInitialEvents', 'dryRun', 'fieldManager', 'fieldValidation', 'force', 'pretty', 'includeObject'],
  ...['propagationPolicy', 'orphanDependents', 'gracePeriodSeconds', 'verbose', 'exclude', 'hash', '__proto__', ''],
];

export const texts = [
  ...['', '0', '1', '-1', '1.5', 'true', 'false', 'All', 'Strict', 'Warn', 'Ignore', 'Exact', 'NotOlderThan', 'Object', 'None', 'Metadata'],
  ...[
    '9007199254740993',
    '99999999999999999999',
    '1e309',
    'NaN',
    '0x10',
    '1s',
    '-5s',
    '1ns1ns',
    'a=b',
    'a in (b,c)',
    'a notin (',
    '!a',
    'a!=b,c',
  ],
  ...['spec.color=red', 'metadata.name=w1', 'metadata.namespace!=ns', 'spec.color==', '((((', ',,,', 'a'.repeat(500), '\\', "'", '"', '%'],
  ...['eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi8uLi94In0', 'e30', '!!!', '\u0000', '\ud83d\ude00', 'Background', 'Orphan'],
];

export const mediaTypes = [
  ...['application/json', 'application/json', 'application/yaml', 'application/json-patch+json', 'application/merge-patch+json'],
  ...[
    'application/strategic-merge-patch+json',
    'application/apply-patch+yaml',
    'application/vnd.kubernetes.protobuf',
    'text/plain',
    ';;;',
    '',
  ],
  'application/json;as=Table;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
  'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1beta1,*/*',
  'application/json;stream=watch;q=x',
];

export const headerNames = ['accept', 'content-type', 'accept-encoding', 'if-none-match', 'audit-id', 'authorization', 'impersonate-user'];

export const bodies = [
  '{"metadata":{"name":"w1"},"spec":{"size":1,"parts":[{"name":"a"},{"name":"b","count":2}]}}',
  '{"apiVersion":"demo.example.com/v1","kind":"Widget","metadata":{"name":"w1","labels":{"a":"b"},"finalizers":["x.example.com/y"]},"spec":{"size":3}}',
  '{"apiVersion":"v1","kind":"Note","metadata":{"name":"n1"},"data":{"a":"b"},"tags":[{"name":"x","value":"1"}]}',
  '{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"ns2"},"spec":{"finalizers":[]}}',
  '{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"x","resourceVersion":"1"},"propagationPolicy":"Foreground"}',
  '[{"op":"replace","path":"/spec/size","value":5},{"op":"test","path":"/spec/parts/0/name","value":"a"}]',
  '[{"op":"move","from":"/spec","path":"/spec/parts/0"},{"op":"copy","from":"/metadata","path":"/spec/-"}]',
  '[{"op":"add","path":"/__proto__/x","value":1},{"op":"remove","path":""}]',
  '{"spec":{"parts":[{"$patch":"delete","name":"a"},{"$patch":"replace"}],"$retainKeys":["size"]}}',
  '{"tags":[{"name":"x","$patch":"delete"},{"$setElementOrder/tags":[{"name":"y"}]}],"$deleteFromPrimitiveList/x":[1]}',
  '{"metadata":{"managedFields":[{"manager":"m","operation":"Apply","fieldsType":"FieldsV1","fieldsV1":{"k:{\\"name\\":1}":{},"v:x":{},"i:-1":{}}}]}}',
  '{"metadata":{"generateName":"g-","ownerReferences":[{"uid":"u","name":"n","kind":"K","apiVersion":"a/b/c"}],"creationTimestamp":"soon"}}',
  '{"spec":{"resourceAttributes":{"verb":"get","resource":"widgets"},"nonResourceAttributes":null}}',
  'apiVersion: demo.example.com/v1\nkind: Widget\nmetadata: {name: w1}\nspec: &a {size: 1, parts: [*a]}\n',
  'a: &a [*a]\n---\nb: !!js/function x\n? {c: d}\n: e\n',
  'null',
  '[]',
  '"text"',
  '1e999',
  '{"a":{"a":1,"a":2},"__proto__":{"polluted":true},"constructor":{"prototype":{}}}',
  '{'.repeat(3),
  '['.repeat(5_000),
  `${'{"a":'.repeat(3_000)}1${'}'.repeat(3_000)}`,
  'k8s\u0000\n\u0005\n\u0002v1\u0012\u0001X',
  '',
];

/** Put in place of values. */
export const tokens = [
  ...['null', '-1', '1e400', '9007199254740993', '""', '"\\u0000"', '"\\ud800"', '{}', '[]', 'true', '"__proto__"', '"a/b"', '[[1]]'],
];

export const accepts = [
  'application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json',
  'application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json',
  'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf,application/json',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf,*/*',
  '*/*;q=0',
];

export const labelSelectors = [
  ...[
    'team=a',
    'team!=a',
    'team in (a,b)',
    'team notin (a)',
    '!team',
    'team',
    'team>1',
    'team=a,x',
    'x in ()',
    'a b',
    '(',
    '',
    'team==b,!x,y.example.com/z',
  ],
];

export const fieldSelectors = [
  ...[
    'metadata.name=w1',
    'metadata.namespace=ns',
    'spec.color=red',
    'spec.color!=red,metadata.name!=w2',
    'spec.size=1',
    'metadata.name=a\\=b',
    '=',
    'x',
  ],
];

export const jsonPatches: readonly object[] = [
  { op: 'test', path: '/metadata/name', value: 'w1' },
  { op: 'replace', path: '/spec/size', value: 5 },
  { op: 'add', path: '/metadata/labels', value: { team: 'a' } },
  { op: 'add', path: '/spec/parts/-', value: { name: 'z' } },
  { op: 'remove', path: '/spec/parts/0' },
  { op: 'copy', from: '/spec/color', path: '/metadata/annotations' },
  { op: 'move', from: '/spec/parts/0', path: '/spec/parts/1' },
  { op: 'add', path: '/data/b', value: 'x' },
  { op: 'replace', path: '/metadata/managedFields', value: [{}] },
  { op: 'replace', path: '/metadata/resourceVersion', value: '1' },
  { op: 'add', path: '/metadata/finalizers', value: ['example.com/hold'] },
  { op: 'remove', path: '/metadata/finalizers' },
  { op: 'add', path: '/metadata/__proto__', value: { polluted: true } },
  { op: 'add', path: '', value: 1 },
  { op: 'nothing', path: 'x' },
];

export const mergePatches: readonly string[] = [
  '{"spec":{"size":7}}',
  '{"spec":{"color":"blue","parts":null}}',
  '{"spec":{"parts":[{"name":"a"},{"name":"a"}]}}',
  '{"metadata":{"labels":{"team":null}}}',
  '{"metadata":{"labels":{"team":"b"},"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{\\"spec\\":{\\"size\\":1}}"}}}',
  '{"metadata":{"finalizers":null}}',
  '{"metadata":{"managedFields":[]}}',
  '{"metadata":{"name":"other"}}',
  '{"metadata":null}',
  '{"status":{"ready":true,"note":"x"}}',
  '{"data":{"a":"1","c":null}}',
  '{"tags":[{"name":"x","value":"9"},{"$patch":"delete","name":"y"}]}',
  '{"tags":[{"$patch":"replace"},{"name":"only"}]}',
  '{"$setElementOrder/tags":[{"name":"z"},{"name":"x"}],"tags":[{"name":"z"}]}',
  '{"$retainKeys":["data"],"data":{"b":"2"}}',
  '{"spec":{"size":9007199254740993}}',
  '{"spec":{"size":null},"extra":{"deep":[1,2,{"a":null}]}}',
];
