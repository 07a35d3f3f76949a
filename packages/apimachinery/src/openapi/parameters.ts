import type { JsonObject } from '../json/object.ts';

interface Parameter {
  readonly name: string;
  readonly type: 'boolean' | 'integer' | 'string';
  readonly description: string;
}

export function queryParameter({ name, type, description }: Parameter): JsonObject {
  return { name, in: 'query', description, schema: { type, uniqueItems: true } };
}

export function pathParameter(name: string, description: string): JsonObject {
  return { name, in: 'path', description, required: true, schema: { type: 'string', uniqueItems: true } };
}

export const pretty = queryParameter({ name: 'pretty', type: 'string', description: 'If true, the output is indented.' });

const dryRun: Parameter = {
  name: 'dryRun',
  type: 'string',
  description: 'With All, the request is processed in full but nothing is stored.',
};

/** What every write takes; kubectl looks for `dryRun` and `fieldValidation` on PATCH before it writes at all (wire contract 1.4). */
export const writeParameters: readonly JsonObject[] = [
  dryRun,
  {
    name: 'fieldManager',
    type: 'string',
    description: 'The name of the actor that makes the change, at most 128 characters.',
  } as const,
  {
    name: 'fieldValidation',
    type: 'string',
    description: 'What to do about unknown and duplicate fields: Ignore, Warn (the default) or Strict.',
  } as const,
].map(queryParameter);

export const patchParameters: readonly JsonObject[] = [
  ...writeParameters,
  queryParameter({ name: 'force', type: 'boolean', description: 'For apply patches only: take fields over from other managers.' }),
];

export const deleteParameters: readonly JsonObject[] = (
  [
    dryRun,
    { name: 'gracePeriodSeconds', type: 'integer', description: 'Seconds before the object is deleted.' },
    { name: 'orphanDependents', type: 'boolean', description: 'Deprecated: use propagationPolicy.' },
    { name: 'propagationPolicy', type: 'string', description: 'What happens to dependents: Orphan, Background or Foreground.' },
  ] satisfies Parameter[]
).map(queryParameter);

export const selectParameters: readonly JsonObject[] = (
  [
    { name: 'continue', type: 'string', description: 'The token of the page before.' },
    { name: 'fieldSelector', type: 'string', description: 'Limits the objects by their fields.' },
    { name: 'labelSelector', type: 'string', description: 'Limits the objects by their labels.' },
    { name: 'limit', type: 'integer', description: 'At most this many objects; more are had with continue.' },
    { name: 'resourceVersion', type: 'string', description: 'The version to read at or after.' },
    { name: 'resourceVersionMatch', type: 'string', description: 'How resourceVersion is meant: Exact or NotOlderThan.' },
  ] satisfies Parameter[]
).map(queryParameter);

export const listParameters: readonly JsonObject[] = [
  ...selectParameters,
  ...(
    [
      { name: 'allowWatchBookmarks', type: 'boolean', description: 'Whether a watch may send BOOKMARK events.' },
      { name: 'sendInitialEvents', type: 'boolean', description: 'Whether a watch begins with what exists, ended by a bookmark.' },
      { name: 'timeoutSeconds', type: 'integer', description: 'How long a watch lasts.' },
      { name: 'watch', type: 'boolean', description: 'Stream changes instead of answering with a list.' },
    ] satisfies Parameter[]
  ).map(queryParameter),
];
