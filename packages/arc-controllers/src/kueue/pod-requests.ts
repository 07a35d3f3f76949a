import type { Container, Template, WorkflowSpec } from '@arc/api/argo';
import { formatQuantity, parseQuantity } from './quantity.ts';

type Amounts = ReadonlyMap<string, number>;

interface Resources {
  readonly requests?: Readonly<Record<string, unknown>> | null;
  readonly limits?: Readonly<Record<string, unknown>> | null;
}

/**
 * What the largest pod of a template requests: of each resource the most that any of its steps asks for. As Kubernetes has it, a step asks
 * for the sum of its containers, or for its largest init container where that is more, and what names a limit only requests that.
 * Not seen are steps of other templates (`templateRef`), `podSpecPatch`, Argo's own containers, and amounts that are parameters.
 */
export function podRequestsOf(spec: WorkflowSpec | undefined): Record<string, string> {
  const largest = (spec?.templates ?? []).map((template) => stepRequests(template)).reduce(maximum, new Map());
  return Object.fromEntries([...largest].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, amount]) => [name, formatQuantity(amount)]));
}

function stepRequests(template: Template): Amounts {
  const { container, script, containerSet, sidecars, initContainers } = template as Template & {
    readonly containerSet?: { readonly containers?: readonly Container[] | null } | null;
    readonly sidecars?: readonly Container[] | null;
    readonly initContainers?: readonly Container[] | null;
  };
  const main = [container, script, ...(containerSet?.containers ?? [])].filter((each) => each !== undefined && each !== null);
  if (main.length === 0) return new Map();
  const together = [...main, ...(sidecars ?? [])].map(containerRequests).reduce(sum, new Map());
  return (initContainers ?? []).map(containerRequests).reduce(maximum, together);
}

function containerRequests(container: Container): Amounts {
  const { requests, limits } = (container['resources'] ?? {}) as Resources;
  const amounts = new Map<string, number>();
  for (const [name, value] of Object.entries({ ...limits, ...requests })) {
    const amount = parseQuantity(String(value));
    if (amount !== undefined) amounts.set(name, amount);
  }
  return amounts;
}

function sum(a: Amounts, b: Amounts): Amounts {
  return joined(a, b, (one, other) => one + other);
}

function maximum(a: Amounts, b: Amounts): Amounts {
  return joined(a, b, Math.max);
}

function joined(a: Amounts, b: Amounts, join: (one: number, other: number) => number): Amounts {
  const all = new Map(a);
  for (const [name, amount] of b) all.set(name, join(all.get(name) ?? 0, amount));
  return all;
}
