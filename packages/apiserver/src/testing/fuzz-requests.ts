/** One request as raw as a client can send it. */
export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | undefined;
  readonly http2: boolean;
}

type Random = () => number;

/** Reproducible numbers in [0, 1): mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const methods = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];

const segments = [
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

const routes = [
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

const parameters = [
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

const texts = [
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

const mediaTypes = [
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

const headerNames = ['accept', 'content-type', 'accept-encoding', 'if-none-match', 'audit-id', 'authorization', 'impersonate-user'];

const bodies = [
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

/** The next request: half well-formed with something wrong in it, half nonsense. */
export function fuzzRequest(random: Random): FuzzRequest {
  const pick = <T>(from: readonly [T, ...T[]] | readonly T[]): T => from[Math.floor(random() * from.length)] as T;
  const chance = (probability: number): boolean => random() < probability;
  const many = <T>(most: number, make: () => T): T[] => Array.from({ length: Math.floor(random() * (most + 1)) }, make);

  const anyPath = (): string => `${chance(0.95) ? '/' : '//'}${many(9, () => pick(segments)).join('/')}`;
  const route = chance(0.7) ? pick(routes) : anyPath();
  const path = chance(0.1) ? `${route}/${pick(segments)}` : route;
  const query = many(4, () => `${encodeURIComponent(pick(parameters))}=${chance(0.9) ? encodeURIComponent(pick(texts)) : '%zz%'}`);
  // A watch that finds nothing wrong goes on until its time is over.
  if (query.some((part) => part.startsWith('watch='))) query.unshift('timeoutSeconds=1');

  const method = pick(methods);
  const headers: Record<string, string> = {};
  if (chance(0.8)) headers['content-type'] = pick(mediaTypes);
  if (chance(0.4)) headers['accept'] = pick(mediaTypes);
  if (chance(0.2)) headers['accept-encoding'] = pick(['gzip', 'gzip;q=0', 'identity', 'br,gzip', ';']);
  for (const name of many(1, () => pick(headerNames))) headers[name] ??= pick(texts).replaceAll(/[^ -~]/g, '?');

  const withBody = method !== 'GET' && method !== 'HEAD' && method !== 'TRACE' && chance(0.9);
  return {
    method,
    path: query.length === 0 ? path : `${path}?${query.join('&')}`,
    headers,
    body: withBody ? mutated(pick(bodies), random) : undefined,
    http2: chance(0.3),
  };
}

/** Mostly as it is; sometimes with bytes changed, cut, or doubled. */
function mutated(text: string, random: Random): Uint8Array {
  const bytes = Buffer.from(text);
  if (random() < 0.5 || bytes.length === 0) return bytes;
  const at = Math.floor(random() * bytes.length);
  switch (Math.floor(random() * 4)) {
    case 0:
      bytes[at] = Math.floor(random() * 256);
      return bytes;
    case 1:
      return bytes.subarray(0, at);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes]);
    default:
      return Buffer.from(text.replaceAll(/"[^"]*"|\d+/g, (token) => (random() < 0.15 ? pickToken(random) : token)));
  }
}

const tokens = [
  'null',
  '-1',
  '1e400',
  '9007199254740993',
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '{}',
  '[]',
  'true',
  '"__proto__"',
  '"a/b"',
  '[[1]]',
];

function pickToken(random: Random): string {
  return tokens[Math.floor(random() * tokens.length)] ?? '0';
}
