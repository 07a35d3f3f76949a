import type { NodeStatus } from '@arc/api/argo';

/** Sums `n/m` over the pods of the Workflow; undefined when there is none. */
export function totalProgress(nodes: Readonly<Record<string, NodeStatus>>): string | undefined {
  return sum(Object.values(nodes).filter((node) => node.type === 'Pod'));
}

/** Gives every node that is not a pod the sum of the pods below it. */
export function updateProgress(nodes: Record<string, NodeStatus>): void {
  const inside = podsByAncestor(nodes);
  for (const node of Object.values(nodes)) {
    if (node.type === 'Pod') continue;
    const progress = sum(inside.get(node.id) ?? []);
    if (progress !== undefined) node.progress = progress;
  }
}

/** A pod belongs to what encloses it: its group, its retry node, and the boundaries around them. */
function podsByAncestor(nodes: Readonly<Record<string, NodeStatus>>): Map<string, NodeStatus[]> {
  const enclosing = new Map<string, string[]>();
  for (const node of Object.values(nodes)) {
    if (node.boundaryID !== undefined) addTo(enclosing, node.id, node.boundaryID);
    if (node.type !== 'StepGroup' && node.type !== 'Retry') continue;
    for (const child of node.children ?? []) if (isInside(nodes[child], node)) addTo(enclosing, child, node.id);
  }
  const inside = new Map<string, NodeStatus[]>();
  for (const pod of Object.values(nodes)) {
    if (pod.type !== 'Pod') continue;
    const seen = new Set<string>();
    const queue = [...(enclosing.get(pod.id) ?? [])];
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const pods = inside.get(next) ?? [];
      pods.push(pod);
      inside.set(next, pods);
      queue.push(...(enclosing.get(next) ?? []));
    }
  }
  return inside;
}

function isInside(child: NodeStatus | undefined, parent: NodeStatus): boolean {
  return child !== undefined && child.name.startsWith(parent.name);
}

function addTo(map: Map<string, string[]>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

function sum(pods: readonly NodeStatus[]): string | undefined {
  if (pods.length === 0) return undefined;
  let done = 0;
  let total = 0;
  for (const pod of pods) {
    const [own = 0, of = 1] = (pod.progress ?? '0/1').split('/').map(Number);
    done += own;
    total += of;
  }
  return `${done}/${total}`;
}
