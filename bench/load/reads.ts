import type { Pace } from './clock.ts';
import { openConnections, type RequestHead } from './connection.ts';
import { measureTurns, type LoadResult } from './load-result.ts';
import { objectName } from './object-template.ts';
import type { Target } from './target.ts';

export interface ReadLoad extends Pace, Pick<RequestHead, 'accept' | 'gzip'> {
  readonly target: Target;
  readonly path: string;
  /** GET objects of this many instead of the path itself, spread over all of them. */
  readonly objects?: number;
  /** Connections, each with one request at a time. */
  readonly readers: number;
  /** Follow `continue` from page to page; the whole list is then one turn. The path has a limit. */
  readonly paged?: boolean;
}

/** A prime far from any power of ten, so that consecutive turns hit objects far apart. */
const stride = 7_368_787;

export async function runReads(load: ReadLoad): Promise<LoadResult> {
  using opened = await openConnections(load.target, load.readers);
  const [first] = opened.connections;
  if (first === undefined) throw new Error('a load needs at least one reader');
  const headOf = (path: string): string => first.head({ method: 'GET', ...load, path });
  const fixed = headOf(load.path);
  return await measureTurns(opened.connections, load, async (connection, { index }) => {
    if (load.paged === true) return await readPages(async (path) => await connection.send(headOf(path), '', { keepBody: true }), load.path);
    const head = load.objects === undefined ? fixed : headOf(`${load.path}/${objectName((index * stride) % load.objects)}`);
    return (await connection.send(head)).bytes;
  });
}

async function readPages(send: (path: string) => Promise<{ bytes: number; body: Buffer }>, path: string): Promise<number> {
  let bytes = 0;
  let token = '';
  do {
    const answer = await send(token === '' ? path : `${path}&continue=${encodeURIComponent(token)}`);
    bytes += answer.bytes;
    token = continueOf(answer.body);
  } while (token !== '');
  return bytes;
}

/** List metadata is at the start of what a Kubernetes-style server sends, or at its end. */
function continueOf(body: Buffer): string {
  const head = body.toString('latin1', 0, 1000);
  return /"continue":"([^"]*)"/.exec(head)?.[1] ?? '';
}
