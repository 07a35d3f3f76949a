import { Connection } from '../load/connection.ts';
import type { Target } from '../load/target.ts';

/** A watch of a collection from now on: without a revision, each watcher would first be sent everything there is. */
export async function watchPath(target: Target, collection: string): Promise<string> {
  using connection = await Connection.open(target);
  const { body } = await connection.send(connection.head({ method: 'GET', path: `${collection}?limit=1` }), '', { keepBody: true });
  const list = JSON.parse(body.toString('utf8')) as { readonly metadata: { readonly resourceVersion: string } };
  return `${collection}?watch=true&resourceVersion=${list.metadata.resourceVersion}`;
}
