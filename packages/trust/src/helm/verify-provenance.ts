import { parseAllDocuments } from 'yaml';
import { type Check, shown } from '../check.ts';
import { EvidenceError } from '../evidence/untrusted.ts';
import { verifyClearSigned } from '../openpgp/clear-signed.ts';
import type { SigningKey } from '../openpgp/keyring.ts';

/** A chart as it was fetched. */
export interface ChartToVerify {
  readonly name: string;
  readonly version: string;
  /** Digest of the archive. */
  readonly digest: string;
  /** The `.prov` file; undefined when there is none. */
  readonly provenance: Buffer | undefined;
}

const checkName = 'provenance signature';

/**
 * Checks that the provenance file of a chart was signed by one of `keys` and speaks of this archive. What it says is read from
 * the signed text alone.
 */
export function verifyProvenance(chart: ChartToVerify, keys: readonly SigningKey[], now: number): Check {
  if (chart.provenance === undefined) return { name: checkName, result: 'failed', detail: 'there is no provenance file' };
  try {
    const { text, signer } = verifyClearSigned(chart.provenance, keys, now);
    requireChart(text, chart);
    return { name: checkName, result: 'passed', detail: `${chart.digest} by ${signer.owner} ${shown(signer.userId)}` };
  } catch (error) {
    if (!(error instanceof EvidenceError)) throw error;
    return { name: checkName, result: 'failed', detail: shown(error.message) };
  }
}

/** The text is Chart.yaml, a line `...`, and the digests of files. @throws EvidenceError */
function requireChart(text: string, chart: ChartToVerify): void {
  const [description, sums, ...others] = parseAllDocuments(text, { uniqueKeys: true, logLevel: 'silent' });
  if (description === undefined || sums === undefined || others.length > 0 || [description, sums].some(({ errors }) => errors.length > 0))
    throw new EvidenceError('what it says is not a chart and its files');
  const { name, version } = (description.toJS({ maxAliasCount: 0 }) ?? {}) as Readonly<Record<string, unknown>>;
  if (name !== chart.name || version !== chart.version)
    throw new EvidenceError(`it is of chart ${shown(String(name))} ${shown(String(version))}, not of ${chart.name} ${chart.version}`);
  const { files } = (sums.toJS({ maxAliasCount: 0 }) ?? {}) as { files?: Readonly<Record<string, unknown>> };
  const file = `${chart.name}-${chart.version}.tgz`;
  const named = typeof files === 'object' && files !== null && Object.hasOwn(files, file) ? files[file] : undefined;
  if (named !== chart.digest) throw new EvidenceError(`it does not name ${file} with the digest of the archive`);
}
