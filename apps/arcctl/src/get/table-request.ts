import { ApiStatusError } from '@arc/apimachinery/client';
import type { KubeObject, ListMeta, ResourceType, Status } from '@arc/apimachinery/client';
import type { KubeClient } from '@arc/kube-client';
import type { TableColumn } from '@arc/cli-kit';
import { requestPath } from '../cluster/request-path.ts';
import type { RequestTarget } from '../cluster/request-path.ts';

interface TableRow {
  readonly cells: readonly unknown[];
  readonly object?: KubeObject;
}

/** `meta.k8s.io/v1 Table` (wire contract 4.2). A watch names the columns in its first event only. */
export interface Table {
  readonly kind: 'Table';
  readonly metadata?: ListMeta;
  readonly columnDefinitions?: readonly TableColumn[];
  readonly rows?: readonly TableRow[];
}

const headers = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

export async function requestTable(client: KubeClient, type: ResourceType, target: RequestTarget, signal: AbortSignal): Promise<Table> {
  const { body } = await client.raw({ path: requestPath(type, target), headers, signal });
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return tableFrom(JSON.parse(Buffer.concat(chunks).toString('utf8')));
}

export interface TableEvent {
  readonly type: string;
  readonly table: Table;
}

/** Streams changes as tables; ends when the server closes the stream. Throws the Status of an ERROR event. */
export async function* watchTable(
  client: KubeClient,
  type: ResourceType,
  target: RequestTarget,
  signal: AbortSignal,
): AsyncGenerator<TableEvent> {
  const { body } = await client.raw({ path: requestPath(type, { ...target, query: { ...target.query, watch: 'true' } }), headers, signal });
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.trim() === '') continue;
      const event = JSON.parse(line) as { readonly type: string; readonly object: unknown };
      if (event.type === 'ERROR') throw new ApiStatusError(event.object as Status);
      yield { type: event.type, table: tableFrom(event.object) };
    }
  }
}

/** A server that knows no tables answers with objects; their name and age make a table all the same. */
function tableFrom(answer: unknown): Table {
  const value = answer as Partial<Table> & Partial<KubeObject> & { readonly items?: readonly KubeObject[] };
  if (value.kind === 'Table') return value as Table;
  const objects = value.items ?? [value as KubeObject];
  return {
    kind: 'Table',
    metadata: (value.metadata ?? {}) as ListMeta,
    columnDefinitions: [
      { name: 'Name', type: 'string' },
      { name: 'Age', type: 'date' },
    ],
    rows: objects.map((object) => ({ cells: [object.metadata.name, object.metadata.creationTimestamp], object })),
  };
}
