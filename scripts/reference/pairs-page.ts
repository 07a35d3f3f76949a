import { pairs, type Pairs } from '../../apps/worker/src/delivery/pairs.ts';
import { page, table } from './page.ts';
import type { ReferencePage } from './page.ts';

const artifacts: Readonly<Record<keyof typeof pairs, string>> = {
  oci: 'Images and other artifacts of registries (`oci-copy`)',
  blob: 'Files and objects (`blob-copy`)',
  helm: 'Helm charts (`helm-copy`)',
};

const places: Readonly<Record<string, string>> = {
  oci: 'registry or OCI layout (`oci`)',
  http: 'web server (`http`)',
  s3: 'bucket (`s3`)',
  file: 'directory (`file`)',
  helm: 'chart repository (`helm`)',
};

/** The pairs of source and destination, from the table that the worker goes by and the tests go through. */
export function pairsPage(): ReferencePage {
  const tables = Object.entries(pairs).flatMap(([name, { source, destination }]: [string, Pairs]) => [
    `## ${artifacts[name as keyof typeof pairs]}`,
    table(
      ['from', ...destination.map((type) => `to ${places[type] ?? type}`)],
      source.map((type) => [places[type] ?? type, ...destination.map(() => 'yes')]),
    ),
  ]);
  return page('pairs.md', [
    '# From where to where',
    [
      'Which Endpoint types the steps of the worker bring artifacts from, and to which. For every pair of files and charts that is listed here a test brings',
      'one, verifies it, brings it again and sees that nothing moves (`apps/worker/src/delivery/pairs.test.ts`); images have tests of their own. Every other pair',
      'is refused before anything is asked.',
    ].join('\n'),
    ...tables,
    'What each of them is, and its addresses: [artifact types](../guide/artifact-types.md).',
  ]);
}
