import { gzipSync } from 'node:zlib';
import { type Files, tar } from '../image/tar.ts';
import { digestOf } from '../registry/content.ts';

export interface BuiltChart {
  readonly name: string;
  readonly version: string;
  /** `name-version.tgz` */
  readonly fileName: string;
  readonly archive: Buffer;
  readonly digest: string;
  /** What `helm package --sign` writes beside it, with a signature that is not one. */
  readonly provenance: Buffer;
}

export interface ChartOptions {
  /** Added to, or instead of, the files of the chart, by their path in the archive. */
  readonly files?: Files;
  /** Lines added to Chart.yaml. */
  readonly metadata?: string;
}

/** Builds a chart archive; the same input gives the same bytes. */
export function buildChart(name: string, version: string, options: ChartOptions = {}): BuiltChart {
  const description = `apiVersion: v2\nname: ${name}\nversion: ${version}\ndescription: a chart for tests\ntype: application\n${options.metadata ?? ''}`;
  const archive = gzipSync(
    tar({
      [`${name}/Chart.yaml`]: description,
      [`${name}/values.yaml`]: 'replicas: 1\n',
      [`${name}/templates/configmap.yaml`]: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`,
      ...options.files,
    }),
  );
  // The tenth byte names the operating system of the compressor.
  archive[9] = 255;
  const digest = digestOf(archive);
  const fileName = `${name}-${version}.tgz`;
  const provenance = Buffer.from(
    `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${description}\n...\nfiles:\n  ${fileName}: ${digest}\n-----BEGIN PGP SIGNATURE-----\n\nnone\n-----END PGP SIGNATURE-----\n`,
  );
  return { name, version, fileName, archive, digest, provenance };
}

export interface HelmRepositoryOptions {
  /** Path of the repository on its server, with leading and trailing slash; `/` unless told. */
  readonly path?: string;
  /** Which charts have a provenance file; all unless told. */
  readonly signed?: (chart: BuiltChart) => boolean;
  /** Written into the index instead of the file name. */
  readonly urlOf?: (chart: BuiltChart) => string;
}

/** The files of a classic chart repository, for a file server: index.yaml as `helm repo index` writes it, archives, provenance. */
export function helmRepository(charts: readonly BuiltChart[], options: HelmRepositoryOptions = {}): Record<string, Buffer> {
  const { path = '/', signed = () => true, urlOf = (chart) => chart.fileName } = options;
  const lines = ['apiVersion: v1', 'entries:'];
  for (const name of [...new Set(charts.map((chart) => chart.name))].sort()) {
    lines.push(`  ${name}:`);
    for (const chart of charts.filter((candidate) => candidate.name === name)) {
      lines.push(
        '  - apiVersion: v2',
        '    created: "2026-01-01T00:00:00.000000000Z"',
        '    description: a chart for tests',
        `    digest: ${chart.digest.slice('sha256:'.length)}`,
        `    name: ${name}`,
        '    type: application',
        '    urls:',
        `    - ${urlOf(chart)}`,
        `    version: ${chart.version}`,
      );
    }
  }
  const files: Record<string, Buffer> = { [`${path}index.yaml`]: Buffer.from(`${lines.join('\n')}\ngenerated: "2026-01-01T00:00:00Z"\n`) };
  for (const chart of charts) {
    files[`${path}${chart.fileName}`] = chart.archive;
    if (signed(chart)) files[`${path}${chart.fileName}.prov`] = chart.provenance;
  }
  return files;
}
