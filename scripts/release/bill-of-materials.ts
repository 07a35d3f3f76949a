import type { BuiltPackage } from './compile-packages.ts';
import type { ForeignPackage } from './install-tree.ts';

/** When and as what a release is made. */
export interface ReleaseFacts {
  readonly version: string;
  /** RFC 3339, of the commit: the same sources give the same documents. */
  readonly time: string;
  /** Full id of the commit. */
  readonly commit: string;
}

/** What a release holds, as CycloneDX 1.6: our packages, those of others they run with, and who needs whom of ours. */
export function billOfMaterials(
  facts: ReleaseFacts,
  packages: readonly BuiltPackage[],
  foreign: readonly ForeignPackage[],
): Readonly<Record<string, unknown>> {
  const components = [...packages.map(({ description: { name, version } }) => ({ name, version, license: 'Apache-2.0' })), ...foreign].map(
    ({ name, version, license }) => ({
      type: 'library',
      'bom-ref': packageURL(name, version),
      name,
      version,
      purl: packageURL(name, version),
      licenses: [{ expression: license }],
    }),
  );
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    version: 1,
    metadata: {
      timestamp: facts.time,
      component: { type: 'application', 'bom-ref': 'artifact-conduit', name: 'artifact-conduit', version: facts.version },
      properties: [{ name: 'git:commit', value: facts.commit }],
    },
    components,
    dependencies: [
      { ref: 'artifact-conduit', dependsOn: packages.map(({ description: { name, version } }) => packageURL(name, version)) },
      ...packages.map(({ description }) => ({
        ref: packageURL(description.name, description.version),
        dependsOn: components.filter(({ name }) => description.dependencies?.[name] !== undefined).map((component) => component.purl),
      })),
    ],
  };
}

/** The package URL of an npm package: the scope's `@` is percent-encoded. */
function packageURL(name: string, version: string): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}
