import { type CopyOrigin, type Descriptor, type Manifest } from '@arc/transfer';
import { type Check, shown } from '../check.ts';
import type { EvidenceSource } from '../evidence/collect.ts';
import { readBlob } from '../evidence/read-blob.ts';
import { EvidenceError, readObject } from '../evidence/untrusted.ts';
import { type Policy, type ProvenanceRequirement, ruleFor } from '../policy/policy.ts';
import { type ChartToVerify, verifyProvenance } from './verify-provenance.ts';

/** Which chart, and which version of it. */
export interface ChartName {
  readonly name: string;
  readonly version: string;
}

/** Largest config and provenance file that are read, bytes. */
const partLimit = 1024 * 1024;

/**
 * Checks what a policy demands of a chart of a classic repository, which has a provenance file and no other evidence.
 *
 * @param source what the policy calls it: the repository and the chart's name
 */
export function verifyClassicChart(chart: ChartToVerify, source: string, policy: Policy, now: number): readonly Check[] {
  const rule = ruleFor(policy, source);
  if (rule === undefined) return [{ name: 'policy', result: 'failed', detail: `no rule of the policy speaks of ${source}` }];
  if (rule.acceptsUnsigned)
    return [{ name: 'provenance signature', result: 'skipped', detail: `${rule.name} of the policy accepts what is unsigned` }];
  const impossible = [
    ...(rule.signatures === undefined ? [] : ['signature']),
    ...rule.attestations.map((one) => `attestation ${one.predicateType}`),
  ];
  return [
    ...impossible.map((name) => ({
      name,
      result: 'failed' as const,
      detail: 'a chart of a classic repository has a provenance file at most',
    })),
    ...(rule.provenance === undefined ? [] : [verifyProvenance(chart, rule.provenance.keys, now)]),
  ];
}

/** Checks the provenance file inside a chart of a registry. @throws CopyError */
export async function verifyRegistryChart(
  repository: Pick<EvidenceSource, 'name' | 'fetchBlob'>,
  manifest: Manifest,
  { keys }: ProvenanceRequirement,
  options: {
    readonly origin: CopyOrigin;
    readonly signal?: AbortSignal | undefined;
    readonly now: number;
    /** Which chart it has to be: a tag may stand for another, or for an older one, that was signed as well. */
    readonly chart?: ChartName | undefined;
  },
): Promise<Check> {
  // Few policies speak of charts; what reads their archives is not loaded for the others.
  const { chartMediaTypes } = await import('@arc/transfer/helm');
  const part = (type: string): Descriptor | undefined => manifest.blobs.find(({ mediaType }) => mediaType === type);
  const failed = (detail: string): Check => ({ name: 'provenance signature', result: 'failed', detail });
  const [config, archive, provenance] = [part(chartMediaTypes.config), part(chartMediaTypes.content), part(chartMediaTypes.provenance)];
  if (config === undefined || archive === undefined) return failed('it is no chart, so it has no provenance file');
  if (provenance === undefined) return failed('there is no provenance file');
  if (config.size > partLimit || provenance.size > partLimit) return failed(`its parts are larger than ${partLimit} bytes`);
  try {
    const { name, version } = readObject(await readBlob(repository, config, options), 'the config of the chart');
    const wanted = options.chart ?? { name, version };
    if (name !== wanted.name || version !== wanted.version)
      return failed(`it is chart ${shown(String(name))} ${shown(String(version))}, not ${wanted.name} ${wanted.version}`);
    const chart = {
      name: String(name),
      version: String(version),
      digest: archive.digest,
      provenance: await readBlob(repository, provenance, options),
    };
    return verifyProvenance(chart, keys, options.now);
  } catch (error) {
    if (error instanceof EvidenceError) return failed(error.message);
    throw error;
  }
}
