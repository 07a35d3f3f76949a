import type { NodeStatus, WorkflowStatus } from '@arc/api/argo';
import { gunzipSync } from 'node:zlib';

export type Nodes = Readonly<Record<string, NodeStatus>>;

/** Above what the largest Workflows hold, and far from what would fill the memory. */
const maxBytes = 64 * 1024 * 1024;

/**
 * The nodes of a Workflow, which Argo compresses when they are too many for one object. Empty when there are none, when they are in
 * Argo's database (`offloadNodeStatusVersion`), or compressed in a way that is not known here.
 */
export function nodesOf({ nodes, compressedNodes }: Pick<WorkflowStatus, 'nodes' | 'compressedNodes'>): Nodes {
  if (typeof compressedNodes !== 'string' || compressedNodes === '') return nodes ?? {};
  try {
    const text = gunzipSync(Buffer.from(compressedNodes, 'base64'), { maxOutputLength: maxBytes }).toString('utf8');
    return JSON.parse(text) as Nodes;
  } catch {
    return {};
  }
}
