import type { KubeClient } from '@arc/kube-client';

const maxLines = 30;
/** Far above what 30 lines should be; a server that ignores tailLines must not fill our memory. */
const maxBytesRead = 256 * 1024;

/** The last lines of a pod's main container, at most 30; undefined when there is no log to be had. Raw: not cleaned, not redacted. */
export async function readLogTail(
  client: KubeClient,
  pod: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}/log?container=main&tailLines=${maxLines}`;
  const response = await client.raw({ path, signal });
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body) {
    chunks.push(chunk);
    size += chunk.length;
    while (size - (chunks[0]?.length ?? 0) >= maxBytesRead) size -= chunks.shift()?.length ?? 0;
  }
  if (response.status !== 200) return undefined;
  const lines = Buffer.concat(chunks).toString('utf8').trimEnd().split('\n');
  const tail = lines.slice(-maxLines).join('\n');
  return tail === '' ? undefined : tail;
}
