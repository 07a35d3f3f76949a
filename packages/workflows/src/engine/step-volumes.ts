import type { KeyToPath, PersistentVolumeClaimTemplate, Volume } from '@arc/api/argo';
import { WorkflowError } from '../model/workflow-error.ts';
import type { VolumeFile, VolumeSource } from '../runner/runner.ts';
import { MissingReferenceError } from './references.ts';
import type { KeyValues, References } from './references.ts';

const secretMode = 0o400;
const configMode = 0o444;

/**
 * The content of the volumes with these names.
 *
 * @throws MissingReferenceError for a Secret, ConfigMap or key that is not there and not optional
 */
export async function stepVolumes(
  names: ReadonlySet<string>,
  declared: { readonly volumes: readonly Volume[]; readonly claims: readonly PersistentVolumeClaimTemplate[] },
  references: References,
): Promise<Record<string, VolumeSource>> {
  const sources: Record<string, VolumeSource> = {};
  for (const name of names) {
    const volume = declared.volumes.findLast((candidate) => candidate.name === name);
    if (volume !== undefined) sources[name] = await sourceOf(volume, references);
    else if (declared.claims.some((claim) => claim.metadata?.name === name)) sources[name] = { kind: 'claim', name };
    else throw new WorkflowError('VolumeMissing', `volume ${JSON.stringify(name)} is not defined`);
  }
  return sources;
}

async function sourceOf(volume: Volume, references: References): Promise<VolumeSource> {
  const { secret, configMap, projected } = volume;
  if (projected !== undefined) {
    const files = new Map<string, VolumeFile>();
    const { defaultMode } = projected;
    for (const part of projected.sources) {
      const { secret: fromSecret, configMap: fromConfigMap } = part;
      const content = await sourceOf(
        {
          name: volume.name,
          ...(fromSecret !== undefined && { secret: withMode({ ...fromSecret, secretName: fromSecret.name }, defaultMode) }),
          ...(fromConfigMap !== undefined && { configMap: withMode(fromConfigMap, defaultMode) }),
        },
        references,
      );
      // The last one wins, as in Kubernetes.
      if (content.kind === 'files') for (const file of content.files) files.set(file.path, file);
    }
    return { kind: 'files', files: [...files.values()] };
  }
  if (secret !== undefined) {
    const values = present('secret', secret.secretName, secret.optional, await references.secret(secret.secretName));
    const files = filesOf('secret', secret, secret.secretName, values);
    // Owner only, whatever the template says; what is meant to be executed stays so.
    return { kind: 'files', files: files.map((file) => ({ ...file, mode: secretMode | ((file.mode ?? 0) & 0o100) })) };
  }
  if (configMap !== undefined) {
    const values = present('configmap', configMap.name, configMap.optional, await references.configMap(configMap.name));
    return {
      kind: 'files',
      files: filesOf('configmap', configMap, configMap.name, values).map((file) => ({ ...file, mode: file.mode ?? configMode })),
    };
  }
  return { kind: 'emptyDir' };
}

function withMode<T extends object>(source: T, defaultMode: number | undefined): T & { defaultMode?: number } {
  return { ...source, ...(defaultMode !== undefined && { defaultMode }) };
}

function present(kind: string, name: string, optional: boolean | undefined, values: KeyValues | undefined): KeyValues {
  if (values === undefined && optional !== true) throw new MissingReferenceError(`${kind} ${JSON.stringify(name)} not found`);
  return values ?? new Map();
}

interface Selection {
  readonly items?: readonly KeyToPath[];
  readonly defaultMode?: number;
  readonly optional?: boolean;
}

function filesOf(
  kind: string,
  selection: Selection,
  name: string,
  values: KeyValues,
): readonly (Omit<VolumeFile, 'mode'> & { readonly mode: number | undefined })[] {
  const { items, defaultMode, optional } = selection;
  if (items === undefined) return [...values].map(([path, content]) => ({ path, content, mode: defaultMode }));
  return items.flatMap(({ key, path, mode }) => {
    if (path.startsWith('/') || path.split('/').includes('..'))
      throw new WorkflowError('InvalidVolume', `path ${JSON.stringify(path)} leaves its volume`);
    const content = values.get(key);
    if (content !== undefined) return [{ path, content, mode: mode ?? defaultMode }];
    if (optional === true) return [];
    throw new MissingReferenceError(`couldn't find key ${key} in ${kind} ${JSON.stringify(name)}`);
  });
}
