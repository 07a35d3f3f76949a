import { destinationSecretVolume, secretDigestsAnnotation, sourceSecretVolume } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import type { Secret } from '@arc/api/core';
import { secrets } from '@arc/api/core';
import { readIfThere } from '@arc/kube-client';
import { recordedDigest, secretDigest } from '../identity/secret-digest.ts';
import { ownValue } from '../metadata/write-status.ts';
import type { RunContext } from './context.ts';
import { secretNamesOf } from './secret-names.ts';

/** Shorter values (`1`, `on`, `user`) are not secrets, and replacing them would garble everything. */
const minValueLength = 6;

/** Replaces the values of the Secrets a run is given wherever they occur in a text. */
export type Redactor = (text: string) => string;

/**
 * Reads the Secrets a Workflow was given, for as long as the redactor lives, so that what a step printed can be put into a
 * status. Throws when a Secret exists but cannot be read. `changed` when one has changed since, or is gone: what the step knew
 * is not known any more. In both cases nothing it may have leaked into must be shown.
 */
export async function redactorFor(
  { client, digestKey }: Pick<RunContext, 'client' | 'digestKey'>,
  workflow: Workflow,
  signal: AbortSignal,
): Promise<Redactor | 'changed'> {
  const { namespace = '' } = workflow.metadata;
  const given = givenSecrets(workflow);
  // Made by an earlier version, or somebody has taken the digests away.
  if (given.size === 0 && hasCredentials(workflow)) return 'changed';
  const values = new Set<string>();
  for (const name of new Set([...given.keys(), ...secretNamesOf(workflow)])) {
    const secret = await readIfThere<Secret>(client, secrets, { namespace, name }, signal);
    const digest = given.get(name);
    const now = secret === undefined ? undefined : recordedDigest(digestKey, { namespace, name }, secretDigest(digestKey, secret));
    if (digest !== undefined && digest !== now) return 'changed';
    for (const encoded of Object.values(secret?.data ?? {})) addValues(values, encoded);
  }
  const longestFirst = [...values].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((redacted, value) => redacted.replaceAll(value, '[redacted]'), text);
}

function hasCredentials({ spec }: Workflow): boolean {
  const ours = [sourceSecretVolume, destinationSecretVolume];
  return spec.volumes?.some(({ name, secret }) => ours.includes(name) && secret !== undefined) === true;
}

/** Digests as they were at the hand-over, by name. */
function givenSecrets({ metadata }: Workflow): ReadonlyMap<string, string> {
  const text = ownValue(metadata.annotations, secretDigestsAnnotation) ?? '';
  const pairs = text.split(',').map((pair) => pair.split('='));
  return new Map(pairs.flatMap(([name = '', digest = '']) => (name === '' ? [] : [[name, digest] as const])));
}

function addValues(values: Set<string>, encoded: string): void {
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  for (const value of [text, text.trim(), encoded, ...nestedTexts(text), ...text.split('\n')]) {
    if (value.length >= minValueLength) values.add(value);
  }
}

/** The texts inside a value that is JSON, as in `.dockerconfigjson`; what is base64 there, decoded as well. */
function nestedTexts(text: string): string[] {
  if (!text.trimStart().startsWith('{')) return [];
  let found: string[] = [];
  try {
    JSON.parse(text, (_key, value: unknown) => {
      if (typeof value === 'string') found.push(value);
      return value;
    });
  } catch {
    found = [];
  }
  return found.flatMap((value) => {
    const decoded = Buffer.from(value, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    return colon < 0 || decoded.includes('\ufffd') ? [value] : [value, decoded, decoded.slice(colon + 1)];
  });
}
