import { conflictText, dryRunParameter, flattenSpec, parameterConflict } from '@arc/api/arc';
import type { Parameter } from '@arc/api/arc';
import { canonicalJson } from '../identity/canonical-json.ts';

export interface ParameterSide {
  readonly type: string;
  readonly remoteURL: string;
  readonly hasSecret: boolean;
}

export interface ParameterSources {
  readonly source: ParameterSide;
  readonly destination: ParameterSide;
  /** True for scheduled runs. */
  readonly scheduled: boolean;
  /** True for runs that transfer nothing. */
  readonly dryRun: boolean;
  /** The artifact's spec. */
  readonly spec: unknown;
  /** The type's own parameters; they replace derived ones of the same name. */
  readonly typeParameters: readonly Parameter[];
}

export type DerivedParameters =
  | { readonly parameters: Required<Parameter>[]; readonly conflict?: undefined }
  /** Two fields of the spec would become the same parameter. */
  | { readonly parameters?: undefined; readonly conflict: string };

/**
 * The arguments of a run, with unique names in sorted order: `srcType`, `srcRemoteURL`, `srcSecret` and the same for
 * `dst`, `cron`, `dryRun`, `specJSON`, the flattened spec, the type's own.
 */
export function deriveParameters(sources: ParameterSources): DerivedParameters {
  const { source, destination, scheduled, dryRun, spec, typeParameters } = sources;
  const values = new Map<string, string>([
    ['srcType', source.type],
    ['srcRemoteURL', source.remoteURL],
    ['srcSecret', String(source.hasSecret)],
    ['dstType', destination.type],
    ['dstRemoteURL', destination.remoteURL],
    ['dstSecret', String(destination.hasSecret)],
    ['cron', String(scheduled)],
    [dryRunParameter, String(dryRun)],
    ['specJSON', canonicalJson(spec ?? {})],
  ]);
  const flat = flattenSpec(spec);
  const conflict = parameterConflict(flat);
  if (conflict !== undefined) return { conflict: conflictText(conflict) };
  for (const { name, value } of flat) values.set(name, value);
  for (const { name = '', value = '' } of typeParameters) {
    // A type that fixes this one would turn a dry run into a real one.
    if (name !== '' && !(dryRun && name === dryRunParameter)) values.set(name, value);
  }
  const parameters = [...values].map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
  return { parameters };
}
