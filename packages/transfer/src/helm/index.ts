export { chartArtifact, chartMediaTypes, chartTag } from './chart-artifact.ts';
export { parseChartArtifactSpec } from './chart-artifact-spec.ts';
export type { ChartRequest, ProvenancePolicy } from './chart-artifact-spec.ts';
export { ChartRepository } from './chart-repository.ts';
export type { PublishedChart } from './chart-repository.ts';
export { chartFromRegistry } from './chart-from-registry.ts';
export { chartFiles, isListed, publishChart, requirePublishable } from './publish-chart.ts';
export { filesOfServer, filesOfSource } from './repository-files.ts';
export type { RepositoryFiles } from './repository-files.ts';
