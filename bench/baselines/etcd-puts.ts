import { Client, credentials } from '@grpc/grpc-js';
import { startBackend } from '../server/backends.ts';
import type { RawWrites } from './raw-writes.ts';

const put = '/etcdserverpb.KV/Put';

/** Puts over gRPC, as many under way at once as there are writers. */
export async function openEtcdPuts(value: Buffer): Promise<RawWrites> {
  const backend = await startBackend('etcd');
  const client = new Client(backend.url.replace('etcd://', ''), credentials.createInsecure());
  let rows = 0;
  const putOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const request = putRequest(`key-${String(rows++).padStart(9, '0')}`, value);
      const same = (bytes: Buffer): Buffer => bytes;
      client.makeUnaryRequest(put, same, same, request, (error) => (error === null ? resolve() : reject(error)));
    });
  return {
    name: 'raw puts, as many under way as writers',
    insert: async (durationMs, together) => {
      const [started, before] = [performance.now(), rows];
      const work = async (): Promise<void> => {
        while (performance.now() - started < durationMs) await putOne();
      };
      await Promise.all(Array.from({ length: together }, work));
      return ((rows - before) / (performance.now() - started)) * 1000;
    },
    [Symbol.asyncDispose]: async () => {
      client.close();
      await backend[Symbol.asyncDispose]();
    },
  };
}

/** etcdserverpb.PutRequest: key is field 1, value is field 2, both bytes. */
function putRequest(key: string, value: Buffer): Buffer {
  return Buffer.concat([field(1, Buffer.from(key)), field(2, value)]);
}

function field(number: number, bytes: Buffer): Buffer {
  const length: number[] = [];
  let rest = bytes.length;
  for (; rest >= 0x80; rest >>>= 7) length.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.of((number << 3) | 2, ...length, rest), bytes]);
}
