import type { Results } from '../results/measurement.ts';
import { median, show } from '../statistics/summary.ts';
import { findAll } from './lookup.ts';
import { table } from './markdown.ts';

const bench = 'image-copies';
const figures = ['wall', 'CPU', 'peak RSS', 'CPU of the source registry', 'CPU of the destination registry'] as const;

export function copySection(results: Results): string {
  const [large] = findAll(results, { bench, metric: 'one large image, wall' });
  const [small] = findAll(results, { bench, metric: 'small images, wall' });
  if (large === undefined || small === undefined) return '';
  const rows = ['one large image', 'nothing new', 'small images'].flatMap((what) =>
    figures.map((figure) => {
      const [found] = findAll(results, { bench, metric: `${what}, ${figure}` });
      const theirs = found?.baseline === undefined ? undefined : median(found.baseline.values);
      return [
        `${what}, ${figure}`,
        found === undefined ? '-' : show(median(found.values), found.unit),
        found === undefined || theirs === undefined ? '-' : show(theirs, found.unit),
        found === undefined || theirs === undefined ? '-' : show(median(found.values) / theirs, 'x'),
      ];
    }),
  );
  return [
    '## Copying images',
    `Between two docker-registries over TLS, in memory, beside the skopeo of this machine, in turn: one image of ${large.at['megabytes']} MB in ${large.at['layers']} layers ` +
      `into an empty registry by \`arc-worker oci-copy\`, the same again when nothing is new, and ${small.at['images']} images of 300 KB by one \`arcctl artifact mirror\` ` +
      'beside one `skopeo sync`. Start and end of the programs are included; both check every digest. What skopeo spends on SHA-256 depends on the Go it was built with.',
    table(['', 'ARC', 'skopeo', ''], rows),
  ].join('\n\n');
}
