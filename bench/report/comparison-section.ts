import type { Measurement, Results } from '../results/measurement.ts';
import { median, medianRatio, show } from '../statistics/summary.ts';
import { findAll } from './lookup.ts';
import { table } from './markdown.ts';

/** Servers measured side by side by `bench:compare`, the first as the one the others are compared with. */
export function comparisonSection(comparison: Results): string {
  const servers = [...new Set(comparison.measurements.map(({ at }) => String(at['server'])))];
  const [first = '', ...others] = servers;
  const metrics = [...new Set(comparison.measurements.map(({ metric }) => metric))];
  const rows = metrics.map((metric) => {
    const of = (server: string): Measurement | undefined => findAll(comparison, { bench: 'compare', metric, at: { server } })[0];
    const base = of(first);
    const cells = servers.map((server) => {
      const found = of(server);
      if (found === undefined) return '-';
      const value = show(median(found.values), found.unit);
      return server === first || base === undefined ? value : `${value} (${show(medianRatio(found.values, base.values), 'x')})`;
    });
    return [metric, ...cells];
  });
  return [
    '## Side by side',
    `Measured on ${comparison.date} with \`npm run bench:compare\`, round by round in turn on the same machine: ${first} and ${others.join(', ')}; in ` +
      `brackets the ratio to ${first}, for times, CPU and memory the smaller the better. The same manifests, the same load over HTTP/1.1 and TLS with client certificates, ` +
      `${comparison.size} while reads and watches are measured. CPU is that of the server and its database.`,
    ...(servers.includes(kubernetes) ? [conditionsOfKubernetes(comparison)] : []),
    table(['', ...servers], rows),
  ].join('\n\n');
}

const kubernetes = 'kube-apiserver';

function conditionsOfKubernetes({ machine }: Results): string {
  return (
    `${kubernetes} is ${machine.versions['Kubernetes'] ?? 'one'}; it serves Orders as a custom resource with the schema, columns and selectable field that ARC gives them, ` +
    'but does not check what ARC checks beyond the schema. Its user has rights by RBAC as ours has; priority and fairness is off and its limits of requests in flight are raised to ours, so that it queues nothing. ' +
    'It answers a LIST from its watch cache where its etcd is 3.4.31, 3.5.13 or newer; at resourceVersion=0 without asking that etcd what is newest. ' +
    'All servers run at once, and are idle while another one is measured.'
  );
}
