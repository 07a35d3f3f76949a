import { blobOf, ComposedArtifact } from '../oci/composed-artifact.ts';
import type { PublishedChart } from './chart-repository.ts';

/** The media types of charts in registries (Helm, HIP-0006). */
export const chartMediaTypes = {
  config: 'application/vnd.cncf.helm.config.v1+json',
  content: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip',
  provenance: 'application/vnd.cncf.helm.chart.provenance.v1.prov',
} as const;

/**
 * A chart as `helm push` writes it: the archive and its provenance file byte for byte, the chart's metadata as config.
 * Without the time of the push, so that the same chart gives the same digest.
 */
export function chartArtifact(chart: PublishedChart): ComposedArtifact {
  const { metadata, archive, provenance } = chart;
  const said = (annotation: string, field: string): Record<string, string> =>
    typeof metadata[field] === 'string' ? { [annotation]: metadata[field] } : {};
  const layers = [
    blobOf(archive, chartMediaTypes.content),
    ...(provenance === undefined ? [] : [blobOf(provenance, chartMediaTypes.provenance)]),
  ];
  return new ComposedArtifact(chart.location, {
    config: blobOf(Buffer.from(JSON.stringify(metadata)), chartMediaTypes.config),
    layers,
    annotations: {
      ...said('org.opencontainers.image.description', 'description'),
      'org.opencontainers.image.title': chart.name,
      ...said('org.opencontainers.image.url', 'home'),
      'org.opencontainers.image.version': chart.version,
    },
  });
}

/** A version as a tag: tags cannot hold the "+" of build metadata, and Helm writes "_" for it. */
export function chartTag(version: string): string {
  return version.replace('+', '_');
}
