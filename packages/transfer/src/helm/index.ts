export { chartArtifact, chartMediaTypes, chartTag } from './chart-artifact.ts';
export { parseChartArtifactSpec } from './chart-artifact-spec.ts';
export type { ChartRequest, ProvenancePolicy } from './chart-artifact-spec.ts';
export { ChartRepository } from './chart-repository.ts';
export type { PublishedChart } from './chart-repository.ts';
