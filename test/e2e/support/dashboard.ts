import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Added by Prometheus when it scrapes, or by what it asks of Kubernetes. */
const ofScrapes = new Set(['job', 'instance', 'le']);

/** Names of metrics, and labels each is asked for. */
export type AskedMetrics = ReadonlyMap<string, ReadonlySet<string>>;

/** What the queries of the shipped dashboard ask for. */
export async function askedByDashboard(): Promise<AskedMetrics> {
  const file = fileURLToPath(new URL('../../../charts/arc/files/dashboards/arc-overview.json', import.meta.url));
  const asked = new Map<string, Set<string>>();
  for (const query of queriesIn(JSON.parse(await readFile(file, 'utf8')))) {
    const grouped = [...query.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, names = '']) => names.split(/,\s*/));
    const named = /^label_values\((\w+), (\w+)\)$/.exec(query);
    for (const [, name = '', matchers = ''] of query.matchAll(/\b([a-z]+(?:_[a-z]+)+)\b(?:\{([^}]*)\})?/g)) {
      if (!isMetric(name)) continue;
      const labels = asked.get(name) ?? new Set();
      const matched = [...matchers.matchAll(/(\w+)(?:=~|!=|=)"/g)].map(([, label = '']) => label);
      for (const label of [...matched, ...grouped, ...(named === null ? [] : [named[2] ?? ''])])
        if (!ofScrapes.has(label)) labels.add(label);
      asked.set(name, labels);
    }
  }
  return asked;
}

/** Labels of each series name in an exposition. */
export function servedBy(exposition: string): AskedMetrics {
  const served = new Map<string, Set<string>>();
  for (const [, name = '', labels = ''] of exposition.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm)) {
    const known = served.get(name) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) known.add(label);
    served.set(name, known);
  }
  return served;
}

function isMetric(name: string): boolean {
  return /^(?:arc|apiserver|controller_runtime|leader_election|process|workqueue)_/.test(name);
}

/** The texts of `expr` and `query`, wherever they are. */
function queriesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(queriesIn);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    typeof inner === 'string' && (key === 'expr' || key === 'query') ? [inner] : queriesIn(inner),
  );
}
