import type { FuzzDraft } from './fuzz-request.ts';
import { mutated } from './mutate.ts';
import { anyParameter, withQuery } from './nonsense.ts';
import type { Random } from './random.ts';
import { accepts, fieldSelectors, jsonPatches, labelSelectors, mergePatches, texts } from './vocabulary.ts';

/** Few, so that requests meet. */
const names = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7', 'w8'];
const demo = '/apis/demo.example.com/v1/namespaces/ns';

interface Kind {
  readonly collection: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly status: boolean;
  readonly scale: boolean;
  /** What there is beside metadata. */
  content(random: Random): object;
}

const kinds: readonly Kind[] = [
  {
    collection: `${demo}/widgets`,
    apiVersion: 'demo.example.com/v1',
    kind: 'Widget',
    status: true,
    scale: false,
    content: ({ pick, next }) => ({
      spec: {
        size: Math.floor(next() * 1_000) * 2 + 1,
        color: pick(['red', 'blue', 'green']),
        parts: ['a', 'b', 'c', 'd', 'a']
          .slice(Math.floor(next() * 5), Math.floor(next() * 6))
          .map((name) => ({ name, count: pick([1, 2, 3]) })),
      },
    }),
  },
  {
    collection: `${demo}/crews`,
    apiVersion: 'demo.example.com/v1',
    kind: 'Crew',
    status: true,
    scale: true,
    content: ({ pick, next }) => ({ spec: { size: { members: Math.floor(next() * 20) }, ship: pick(['x', 'y']) } }),
  },
  {
    collection: '/api/v1/namespaces/ns/notes',
    apiVersion: 'v1',
    kind: 'Note',
    status: false,
    scale: false,
    content: ({ pick, many }) => ({
      data: { a: pick(texts), b: 'x'.repeat(pick([1, 10, 5_000])) },
      tags: many(3, () => ({ name: pick(['x', 'y', 'z']), value: pick(['1', '2']) })),
    }),
  },
  {
    collection: '/apis/memo.example.com/v1/namespaces/ns/memos',
    apiVersion: 'memo.example.com/v1',
    kind: 'Memo',
    status: false,
    scale: false,
    content: ({ pick }) => ({ content: { a: pick(texts) } }),
  },
];

/** A request that means something, with perhaps one thing wrong: most of these reach what they are for. */
export function purposeful(random: Random): FuzzDraft {
  const { chance } = random;
  const draft = random.pick(intents)(random, random.pick(kinds));
  const { body } = draft;
  return {
    ...draft,
    path: chance(0.1) ? withParameter(draft.path, anyParameter(random)) : draft.path,
    body: typeof body === 'string' && chance(0.25) ? mutated(body, random) : body,
  };
}

function withParameter(path: string, parameter: string): string {
  const limited = parameter.startsWith('watch=') ? `${parameter}&timeoutSeconds=1` : parameter;
  return `${path}${path.includes('?') ? '&' : '?'}${limited}`;
}

type Intent = (random: Random, kind: Kind) => FuzzDraft;

const create: Intent = (random, kind) => ({
  intent: 'create',
  method: 'POST',
  path: withQuery(kind.collection, writeQuery(random)),
  headers: { 'content-type': 'application/json', ...acceptOf(random) },
  body: JSON.stringify(objectOf(random, kind, random.chance(0.8) ? { name: random.pick(names) } : { generateName: 'made-' })),
});

/** JSON is YAML, too: these use what JSON has not. */
const createYaml: Intent = (random, kind) => ({
  intent: 'create in YAML',
  method: 'POST',
  path: withQuery(kind.collection, writeQuery(random)),
  headers: { 'content-type': 'application/yaml' },
  body: [
    `apiVersion: ${kind.apiVersion}\nkind: ${kind.kind}\nmetadata: &m\n  ${random.chance(0.5) ? 'generateName: made-' : `name: ${random.pick(names)}`}\n  labels: {team: ${random.pick(['y', '0o17', '"a"', '1e3', '~', '2026-01-01', '12:30:45'])}}`,
    ...Object.entries(kind.content(random)).map(([field, value]) => `${field}: ${JSON.stringify(value)}`),
    random.pick(['', '', '# end', 'x: *m', '<<: *m', '---\n', '# end', 'spec: {}', '? [a]\n: b', 'text: |\n  a\n b']),
  ].join('\n'),
});

const update: Intent = (random, kind) => ({
  intent: 'update',
  method: 'PUT',
  path: withQuery(at(random, kind, kind.status ? 'status' : ''), writeQuery(random)),
  headers: { 'content-type': 'application/json', ...acceptOf(random) },
  body: JSON.stringify(objectOf(random, kind, { ...(random.chance(0.3) && { resourceVersion: random.pick(['1', '0', '', 'x']) }) })),
});

const patch: Intent = (random, kind) => {
  const type = random.pick([
    'json-patch',
    'merge-patch',
    kind.apiVersion === 'v1' || random.chance(0.1) ? 'strategic-merge-patch' : 'merge-patch',
  ]);
  return {
    intent: type,
    method: 'PATCH',
    path: withQuery(at(random, kind, kind.status ? 'status' : ''), writeQuery(random)),
    headers: { 'content-type': `application/${type}+json`, ...acceptOf(random) },
    body: type === 'json-patch' ? JSON.stringify(random.many(4, () => random.pick(jsonPatches))) : random.pick(mergePatches),
  };
};

const apply: Intent = (random, kind) => {
  const name = random.pick(names);
  // Some apply a part only, so that owners change.
  const content = random.chance(0.5) ? kind.content(random) : partOf(random, kind.content(random));
  const config = { apiVersion: kind.apiVersion, kind: kind.kind, metadata: { name, ...metadataOf(random) }, ...content };
  const query = [
    `fieldManager=${random.pick(['kubectl', 'flux', 'argo'])}`,
    ...(random.chance(0.6) ? ['force=true'] : []),
    ...writeQuery(random),
  ];
  return {
    intent: 'apply',
    method: 'PATCH',
    path: withQuery(`${kind.collection}/${name}`, query),
    headers: { 'content-type': 'application/apply-patch+yaml' },
    body: JSON.stringify(config),
  };
};

const scale: Intent = (random) => {
  const path = `${demo}/crews/${random.pick(names)}/scale`;
  const replicas = random.pick([0, 1, 5, 13, -1, 2 ** 31, 1.5, 'x', null]);
  const body = JSON.stringify({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: {}, spec: { replicas } });
  const type = random.pick(['merge-patch+json', 'apply-patch+yaml', 'put']);
  if (random.chance(0.2)) return { intent: 'scale', method: 'GET', path, headers: acceptOf(random), body: undefined };
  return type === 'put'
    ? { intent: 'scale', method: 'PUT', path, headers: {}, body }
    : { intent: 'scale', method: 'PATCH', path: `${path}?fieldManager=hpa`, headers: { 'content-type': `application/${type}` }, body };
};

const get: Intent = (random, kind) => ({
  intent: 'get',
  method: random.chance(0.9) ? 'GET' : 'HEAD',
  path: withQuery(
    at(random, kind, kind.status ? 'status' : ''),
    random.chance(0.3) ? [`resourceVersion=${random.pick(['0', '1', '5', 'x'])}`] : [],
  ),
  headers: acceptOf(random),
  body: undefined,
});

const list: Intent = (random, kind) => ({
  intent: 'list',
  method: 'GET',
  path: withQuery(random.chance(0.1) ? kind.collection.replace('/namespaces/ns', '') : kind.collection, listQuery(random)),
  headers: { ...acceptOf(random), ...(random.chance(0.3) && { 'accept-encoding': 'gzip' }) },
  body: undefined,
});

const watch: Intent = (random, kind) => ({
  intent: 'watch',
  method: 'GET',
  path: withQuery(kind.collection, ['watch=1', 'timeoutSeconds=1', ...watchQuery(random)]),
  headers: acceptOf(random),
  body: undefined,
});

const remove: Intent = (random, kind) => ({
  intent: 'delete',
  method: 'DELETE',
  path: random.chance(0.1) ? withQuery(kind.collection, listQuery(random)) : at(random, kind, ''),
  headers: { 'content-type': 'application/json', ...acceptOf(random) },
  body: JSON.stringify({
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(random.chance(0.5) && { propagationPolicy: random.pick(['Background', 'Foreground', 'Orphan', 'Never']) }),
    ...(random.chance(0.1) && { preconditions: { uid: 'x' } }),
    ...(random.chance(0.2) && { dryRun: ['All'] }),
  }),
});

const ask: Intent = (random) => ({
  intent: 'review',
  method: 'POST',
  path: `/apis/authorization.k8s.io/v1/${random.pick(['selfsubjectaccessreviews', 'selfsubjectrulesreviews'])}`,
  headers: {},
  body: JSON.stringify({ spec: { namespace: random.pick(texts), resourceAttributes: { verb: random.pick(texts), resource: 'widgets' } } }),
});

const documents: Intent = (random) => ({
  intent: 'documents',
  method: 'GET',
  path: random.pick([
    '/api',
    '/apis',
    '/apis/demo.example.com/v1',
    '/openapi/v2',
    '/openapi/v3',
    '/openapi/v3/apis/demo.example.com/v1',
    '/metrics',
    '/readyz?verbose',
  ]),
  headers: { ...acceptOf(random), ...(random.chance(0.3) && { 'if-none-match': random.pick(texts).replaceAll(/[^ -~]/g, '?') }) },
  body: undefined,
});

/** As often as they stand here. */
const intents: readonly Intent[] = [
  ...[create, create, create, createYaml, update, update, patch, patch, patch, patch, apply, apply, apply, scale, scale],
  ...[get, get, list, list, list, list, remove, remove, ask, documents],
  // One of them lasts as long as some hundred others.
  ...[create, patch, apply, list, update, patch, apply, list, create, patch, apply, list, watch],
];

/** One of the fields, of the spec where there is one. */
function partOf({ pick }: Random, content: object): object {
  const [field, value] = pick(Object.entries(content) as [string, object][]);
  if (field !== 'spec') return { [field]: value };
  const [name, inner] = pick(Object.entries(value) as [string, unknown][]);
  return { spec: { [name]: inner } };
}

function at({ pick, chance }: Random, { collection }: Kind, subresource: string): string {
  return `${collection}/${pick(names)}${subresource !== '' && chance(0.2) ? `/${subresource}` : ''}`;
}

function objectOf(random: Random, kind: Kind, metadata: object): object {
  return {
    apiVersion: kind.apiVersion,
    kind: kind.kind,
    metadata: { ...metadata, ...metadataOf(random) },
    ...kind.content(random),
    ...(random.chance(0.2) && { status: { ready: true, aboard: 1 } }),
  };
}

function metadataOf({ pick, chance }: Random): object {
  return {
    ...(chance(0.5) && {
      labels: { team: pick(['a', 'b', 'c']), ...(chance(0.15) && { [pick(['x', 'y.example.com/z', '-', ''])]: pick(texts) }) },
    }),
    ...(chance(0.2) && { annotations: { note: pick(texts) } }),
    ...(chance(0.05) && { finalizers: ['example.com/hold'] }),
    ...(chance(0.05) && { ownerReferences: [{ apiVersion: 'v1', kind: 'Note', name: pick(names), uid: 'u' }] }),
  };
}

function acceptOf({ pick, chance }: Random): Record<string, string> {
  return chance(0.4) ? { accept: pick(accepts) } : {};
}

function writeQuery({ pick, chance }: Random): string[] {
  return [
    ...(chance(0.1) ? ['dryRun=All'] : []),
    ...(chance(0.2) ? [`fieldValidation=${pick(['Strict', 'Warn', 'Ignore', 'x'])}`] : []),
    ...(chance(0.2) ? [`fieldManager=${pick(['m', 'kubectl', '', 'x'.repeat(200)])}`] : []),
  ];
}

function listQuery({ pick, chance }: Random): string[] {
  return [
    ...(chance(0.4) ? [`labelSelector=${encodeURIComponent(pick(labelSelectors))}`] : []),
    ...(chance(0.2) ? [`fieldSelector=${encodeURIComponent(pick(fieldSelectors))}`] : []),
    ...(chance(0.3) ? [`limit=${pick(['1', '2', '500', '-1', '0'])}`] : []),
    ...(chance(0.2) ? [`resourceVersion=${pick(['0', '1', '10'])}`] : []),
    ...(chance(0.1) ? [`resourceVersionMatch=${pick(['Exact', 'NotOlderThan', 'x'])}`] : []),
    ...(chance(0.1) ? [`includeObject=${pick(['None', 'Metadata', 'Object', 'x'])}`] : []),
  ];
}

function watchQuery({ pick, chance }: Random): string[] {
  return [
    ...(chance(0.5) ? [`resourceVersion=${pick(['0', '1', '10'])}`] : []),
    ...(chance(0.5) ? ['allowWatchBookmarks=true'] : []),
    ...(chance(0.3) ? ['sendInitialEvents=true', 'resourceVersionMatch=NotOlderThan'] : []),
    ...(chance(0.3) ? [`labelSelector=${encodeURIComponent(pick(labelSelectors))}`] : []),
  ];
}
