import { once } from 'node:events';
import { createServer } from 'node:net';
import { connect } from 'node:net';
import { Worker } from 'node:worker_threads';
import { parallel, send, startServer } from './load-client.ts';
import { inTurn, line } from './statistics.ts';

const objectBytes = 1500;

/**
 * LIST of many objects of 1.5 KB over TLS, against raw TCP of the same number of bytes sent by another thread: how far the
 * server is from merely moving the bytes.
 */
export async function benchList({ objects, rounds }: { readonly objects: number; readonly rounds: number }): Promise<string[]> {
  await using server = await startServer('memory:');
  const agent = server.agent(20);
  const base = `${server.url}/api/v1/namespaces/default`;
  await send(agent, `${server.url}/api/v1/namespaces`, { method: 'POST', body: namespace('default') });
  await parallel(objects, 20, (index) => send(agent, `${base}/configmaps`, { method: 'POST', body: configMap(index) }));
  const url = `${base}/configmaps`;
  const bytes = await send(agent, url);

  const raw = await startRawSender(bytes);
  const list = async (path: string, accept?: string): Promise<number> => {
    const started = performance.now();
    await send(agent, path, accept === undefined ? {} : { accept });
    return performance.now() - started;
  };
  for (let warmUp = 0; warmUp < 5; warmUp += 1) await list(url);
  const pairs = await inTurn(
    rounds,
    () => list(url),
    () => raw.receive(),
  );
  const get: number[] = [];
  for (let round = 0; round < rounds * 10; round += 1) get.push(await list(`${url}/object-000000`));
  const table = await inTurn(
    Math.ceil(rounds / 2),
    () => list(url, 'application/json;as=Table;v=v1;g=meta.k8s.io'),
    () => raw.receive(),
  );
  agent.destroy();
  await raw.close();
  return [
    `LIST of ${objects} objects, ${(bytes / 1e6).toFixed(1)} MB, TLS, one reader`,
    line('  LIST as objects', pairs.a, 'ms'),
    line('  raw TCP, same bytes', pairs.b, 'ms'),
    line('  ratio LIST / raw TCP', pairs.ratio, 'x'),
    line('  LIST as Table', table.a, 'ms'),
    line('  GET one object', get, 'ms', 3),
  ];
}

function namespace(name: string): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

function configMap(index: number): string {
  const object = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: `object-${String(index).padStart(6, '0')}` },
    data: { payload: '' },
  };
  object.data.payload = 'x'.repeat(Math.max(0, objectBytes - JSON.stringify(object).length - 120));
  return JSON.stringify(object);
}

/** A thread that answers each byte it receives with `bytes` bytes. */
async function startRawSender(bytes: number): Promise<{ receive(): Promise<number>; close(): Promise<void> }> {
  const worker = new Worker(new URL(import.meta.url), { workerData: { bytes } });
  const [port] = (await once(worker, 'message')) as [number];
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  return {
    receive: () =>
      new Promise((resolve) => {
        const started = performance.now();
        let received = 0;
        const onData = (chunk: Buffer): void => {
          received += chunk.length;
          if (received < bytes) return;
          socket.off('data', onData);
          resolve(performance.now() - started);
        };
        socket.on('data', onData);
        socket.write('?');
      }),
    close: async () => {
      socket.destroy();
      await worker.terminate();
    },
  };
}

const { isMainThread, parentPort, workerData } = await import('node:worker_threads');
if (!isMainThread && parentPort !== null) {
  const { bytes } = workerData as { readonly bytes: number };
  const payload = Buffer.alloc(bytes, 0x78);
  const listener = createServer((socket) => socket.on('data', () => socket.write(payload)));
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  parentPort.postMessage(typeof address === 'object' && address !== null ? address.port : 0);
}
