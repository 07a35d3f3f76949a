import { type ConflictPolicy, parseConflictPolicy } from '../copy/tag-conflict.ts';
import { parseRepository, parseTag } from '../reference/image-reference.ts';
import { inField, readOverride, readSpec, strings, text } from '../spec/spec-fields.ts';
import { TransferError } from '../transfer-error.ts';
import { parseChartName } from './chart-archive.ts';
import { chartTag } from './chart-artifact.ts';

export type ProvenancePolicy = 'best-effort' | 'required' | 'none';

/** What an artifact of type `helm` asks for, worked out. */
export interface ChartRequest {
  /** As the spec has it: in a registry the repository of the chart. */
  readonly chart: string;
  /** Its last part: the name Chart.yaml has to have. */
  readonly name: string;
  /** One version, or a range of which the newest is taken. */
  readonly version: string;
  readonly provenance: ProvenancePolicy;
  /** Whether the images that the chart names come along, and whether the chart names them where they are then. */
  readonly images: 'none' | 'named' | 'rewritten';
  readonly onConflict: ConflictPolicy | undefined;
  /** Where the chart goes once its version is known. @throws TransferError `InvalidReference` */
  target(version: string): { readonly repository: string; readonly tags: readonly string[] };
}

/**
 * Reads the spec of a `helm` artifact: `chart`; `version` (one, or a range; the newest release unless told);
 * `provenance` (`best-effort`, `required`, `none`); `images` (`none`, `named`, `rewritten`); `override` (`repository[:tag]`, `{{.name}}` and `{{.version}}` stand
 * for the chart's); `tags[]`; `onConflict`. Fields that are empty count as absent, unknown fields are ignored.
 *
 * @throws TransferError `InvalidReference` naming the field
 */
export function parseChartArtifactSpec(json: string): ChartRequest {
  const spec = readSpec(json);
  const chart = inField('chart', () => text(spec['chart'], 'chart'));
  if (chart === undefined)
    throw new TransferError('InvalidReference', 'the artifact names no chart', { hint: 'Set spec.chart, for example "podinfo".' });
  const name = inField('chart', () => parseChartName(chart.split('/').at(-1), 'the artifact'));
  return {
    chart,
    name,
    version: inField('version', () => text(spec['version'], 'version')) ?? '*',
    provenance: inField('provenance', () => readPolicy(text(spec['provenance'], 'provenance'))),
    images: inField('images', () => readImages(text(spec['images'], 'images'))),
    onConflict: inField('onConflict', () => parseConflictPolicy(text(spec['onConflict'], 'onConflict'))),
    target: (version) => {
      const tag = chartTag(version);
      const override = inField('override', () => readOverride(spec['override'], { name: chart, version: tag }));
      const further = inField('tags', () => strings(spec['tags'], 'tags').map(parseTag));
      return {
        repository: override.repository ?? inField('chart', () => parseRepository(chart)),
        tags: [...new Set([override.tag ?? parseTag(tag), ...further])],
      };
    },
  };
}

function readPolicy(value: string | undefined): ProvenancePolicy {
  if (value === undefined) return 'best-effort';
  if (value === 'best-effort' || value === 'required' || value === 'none') return value;
  throw new TransferError('InvalidReference', `${JSON.stringify(value.slice(0, 80))} is not best-effort, required or none`);
}

function readImages(value: string | undefined): 'none' | 'named' | 'rewritten' {
  if (value === undefined || value === 'none') return 'none';
  if (value === 'named' || value === 'rewritten') return value;
  throw new TransferError('InvalidReference', `${JSON.stringify(value.slice(0, 80))} is not none, named or rewritten`);
}
