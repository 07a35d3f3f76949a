import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { fillTemplate } from '../load/object-template.ts';
import { storedTemplate } from '../server/seed.ts';
import { seedFor } from '../server/server-under-test.ts';

/** Milliseconds to serialise a list of parsed objects, each round. */
export async function parsedListMs(objects: number, rounds: number): Promise<number[]> {
  const items = (await objectTexts(objects)).map((text): unknown => JSON.parse(text));
  const list = { kind: 'OrderList', apiVersion: 'arc.opendefense.cloud/v1alpha1', metadata: {}, items };
  return await timed(rounds, () => Promise.resolve(Buffer.byteLength(JSON.stringify(list))));
}

/** Milliseconds to compress a list that is bytes already, each round. */
export async function gzipMs(objects: number, rounds: number): Promise<number[]> {
  const bytes = Buffer.from((await objectTexts(objects)).join(','));
  const chunks = Array.from({ length: Math.ceil(bytes.length / 65_536) }, (_, index) =>
    bytes.subarray(index * 65_536, (index + 1) * 65_536),
  );
  return await timed(rounds, async () => {
    let length = 0;
    const sink = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        length += chunk.length;
        done();
      },
    });
    await pipeline(Readable.from(chunks), createGzip({ level: 1, chunkSize: 65_536 }), sink);
    return length;
  });
}

async function objectTexts(objects: number): Promise<string[]> {
  const seed = await seedFor(objects);
  if (seed === undefined) return [];
  const template = storedTemplate(seed.sample, seed.sampleIndex);
  return Array.from({ length: objects }, (_, index) => fillTemplate(template, index));
}

async function timed(rounds: number, work: () => Promise<number>): Promise<number[]> {
  const times: number[] = [];
  await work();
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times;
}
