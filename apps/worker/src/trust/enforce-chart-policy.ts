import { systemClock } from '@arc/kernel';
import type { Manifest, ReadableRepository } from '@arc/transfer';
import type { PublishedChart } from '@arc/transfer/helm';
import type { Check } from '@arc/trust';
import type { DeliveryContext } from '../delivery/deliver.ts';
import { checkLine, enforcePolicy, refuse } from './enforce-policy.ts';
import { readPolicy } from './trust-settings.ts';

/** What came of the policy, for the receipt. */
export interface ChartVerdict {
  readonly checks: readonly Check[];
  /** The policy, and what it was asked about: the same is asked about what has arrived. */
  readonly policy?: { readonly digest: string; readonly source: string };
}

const nobodyAsked: ChartVerdict = {
  checks: [{ name: 'provenance signature', result: 'skipped', detail: 'there is no policy that says who must have signed' }],
};

/**
 * Checks a chart of a classic repository, which the policy knows as `repository/chart`, before anything is delivered.
 *
 * @throws ArcError `PolicyViolation`
 */
export async function enforceOnClassicChart(chart: PublishedChart, source: string, context: DeliveryContext): Promise<ChartVerdict> {
  const policy = await readPolicy(context.environment);
  if (policy === undefined) return nobodyAsked;
  const { verifyClassicChart } = await import('@arc/trust');
  const checks = verifyClassicChart(chart, source, policy, systemClock.now());
  for (const check of checks) context.write(checkLine(check));
  refuse(checks, `source: verify ${chart.location}`);
  return { checks, policy: { digest: policy.digest, source } };
}

/** Checks a chart of a registry before anything is delivered. @throws ArcError `PolicyViolation`; CopyError */
export async function enforceOnRegistryChart(
  repository: ReadableRepository,
  manifest: Manifest,
  chart: { readonly name: string; readonly version: string },
  { environment, write, signal }: DeliveryContext,
): Promise<ChartVerdict> {
  const policy = await readPolicy(environment);
  if (policy === undefined) return nobodyAsked;
  const source = repository.name;
  const checks = await enforcePolicy(repository, manifest, policy, { origin: 'source', source, platforms: [], chart, signal, write });
  return { checks, policy: { digest: policy.digest, source } };
}
