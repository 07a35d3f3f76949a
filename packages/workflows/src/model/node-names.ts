const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;
const encoder = new TextEncoder();

/** FNV-1a, 32 bit, over the UTF-8 bytes. */
export function fnv32a(text: string): number {
  let hash = offsetBasis;
  for (const byte of encoder.encode(text)) {
    hash = Math.imul(hash ^ byte, prime) >>> 0;
  }
  return hash;
}

/** The id of a node: the Workflow's name for the root, `<workflow>-<hash of the node's name>` otherwise (1.9). */
export function nodeIdOf(workflowName: string, nodeName: string): string {
  return nodeName === workflowName ? workflowName : `${workflowName}-${fnv32a(nodeName)}`;
}

const maxPrefix = 253 - 11;

/** The name of a node's pod, format v2 (1.9). */
export function podNameOf(workflowName: string, templateName: string, nodeName: string): string {
  if (nodeName === workflowName) return workflowName;
  return `${`${workflowName}-${templateName}`.slice(0, maxPrefix)}-${fnv32a(nodeName)}`;
}

/** The short name shown in trees: the node's name without its boundary's and without the step group. */
export function displayNameOf(nodeName: string, boundaryName: string | undefined): string {
  if (boundaryName === undefined || !nodeName.startsWith(boundaryName)) return nodeName;
  return nodeName
    .slice(boundaryName.length)
    .replace(/^\[\d+\]\.(?=.)/, '')
    .replace(/^\./, '');
}
