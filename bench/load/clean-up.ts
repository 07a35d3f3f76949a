import { openConnections } from './connection.ts';
import { objectName } from './object-template.ts';
import type { Target } from './target.ts';

export interface CleanUp {
  readonly target: Target;
  readonly collection: string;
  /** The objects of the indexes below this are deleted, those that exist. */
  readonly count: number;
}

const connections = 50;

/** Deletes objects of the load one by one; nothing else in the collection is touched. */
export async function cleanUp({ target, collection, count }: CleanUp): Promise<void> {
  using opened = await openConnections(target, connections);
  let next = 0;
  const work = async (connection: (typeof opened.connections)[number]): Promise<void> => {
    while (next < count) {
      const path = `${collection}/${objectName(next++)}`;
      await connection.send(connection.head({ method: 'DELETE', path })).catch((error: Error) => {
        if (!error.message.startsWith('answered 404')) throw error;
      });
    }
  };
  await Promise.all(opened.connections.map(work));
}
