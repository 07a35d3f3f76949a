import { fileURLToPath } from 'node:url';
import { arcctlCommand, type DockerRegistry, findProgram } from '@arc/testkit';
import { measureProgram, type ProgramCost } from '../copies/measured-program.ts';
import { type BenchPlace, missingCopyParts, openBenchPlace } from '../copies/secure-registry.ts';
import { seedImages } from '../copies/seed-images.ts';
import { cpuTimeMs } from '../processes/process-usage.ts';
import type { Bench } from './bench.ts';

const worker = fileURLToPath(new URL('../../apps/worker/bin/arc-worker.mjs', import.meta.url));

/** One way to copy from one registry to the other. */
type Copy = (place: BenchPlace, source: DockerRegistry, destination: DockerRegistry) => Promise<ProgramCost>;

interface Run extends ProgramCost {
  readonly sourceCpuMs: number;
  readonly destinationCpuMs: number;
}

/** Images between two docker-registries over TLS, beside skopeo, which checks as much: digests on both sides. */
export const imageCopies: Bench = {
  name: 'image-copies',
  about: 'copies of a large image, of many small ones, and of nothing new, beside skopeo',
  backends: 'none',
  async run({ plan, recorder }) {
    const missing = missingCopyParts();
    if (missing !== undefined) {
      recorder.skip(`image-copies: ${missing}`);
      return;
    }
    await using place = await openBenchPlace();
    await using source = await place.startRegistry();
    const { layers, layerBytes, images, rounds } = plan.copies;
    const tags = Array.from({ length: images }, (_, index) => `1.0.${index}`);
    await seedImages(source, 'bench/large', ['v1'], { layers, layerBytes });
    await seedImages(source, 'bench/small', tags, { layers: 3, layerBytes: Math.min(layerBytes, 100_000) });
    const record = (metric: string, at: Readonly<Record<string, number>>, ours: readonly Run[], theirs: readonly Run[]): void => {
      const common = { bench: 'image-copies', backend: 'none' } as const;
      const each = (name: string, unit: 'ms' | 'bytes', of: (run: Run) => number): void =>
        recorder.record({
          ...common,
          metric: `${metric}, ${name}`,
          at,
          unit,
          values: ours.map(of),
          baseline: { name: 'skopeo', values: theirs.map(of) },
        });
      each('wall', 'ms', (run) => run.wallMs);
      each('CPU', 'ms', (run) => run.cpuMs);
      each('peak RSS', 'bytes', (run) => run.peakBytes);
      each('CPU of the source registry', 'ms', (run) => run.sourceCpuMs);
      each('CPU of the destination registry', 'ms', (run) => run.destinationCpuMs);
      const ratio = (name: string, of: (run: Run) => number): void =>
        recorder.record({
          ...common,
          metric: `${metric}, ${name} ratio`,
          at,
          unit: 'x',
          values: ours.map((run, round) => of(run) / of(theirs[round] ?? run)),
        });
      ratio('wall', (run) => run.wallMs);
      ratio('CPU', (run) => run.cpuMs);
    };
    const large: [Run[], Run[]] = [[], []];
    const nothing: [Run[], Run[]] = [[], []];
    const small: [Run[], Run[]] = [[], []];
    for (let round = 0; round < rounds; round += 1) {
      // Whoever goes second may find the machine warmer.
      const order = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
      for (const who of order) {
        await using destination = await place.startRegistry();
        large[who].push(await observed(copyOne[who], place, source, destination));
        nothing[who].push(await observed(copyOne[who], place, source, destination));
      }
      for (const who of order) {
        await using destination = await place.startRegistry();
        small[who].push(await observed(copyMany[who], place, source, destination));
      }
    }
    const megabytes = Math.round((layers * layerBytes) / 1e6);
    record('one large image', { megabytes, layers }, ...large);
    record('nothing new', { megabytes, layers }, ...nothing);
    record('small images', { images }, ...small);
  },
};

async function observed(copy: Copy, place: BenchPlace, source: DockerRegistry, destination: DockerRegistry): Promise<Run> {
  const before = [cpuTimeMs(source.pid), cpuTimeMs(destination.pid)];
  const cost = await copy(place, source, destination);
  const after = [cpuTimeMs(source.pid), cpuTimeMs(destination.pid)];
  const took = (index: 0 | 1): number => (after[index] ?? Number.NaN) - (before[index] ?? Number.NaN);
  return { ...cost, sourceCpuMs: took(0), destinationCpuMs: took(1) };
}

const certificates = ({ certificates }: BenchPlace): string[] => [`--src-cert-dir=${certificates}`, `--dest-cert-dir=${certificates}`];

/** Ours first: the worker as a step runs it. */
const copyOne: readonly [Copy, Copy] = [
  ({ caFile, folder }, source, destination) =>
    measureProgram([process.execPath, worker, 'oci-copy'], {
      ARC_SRC_URL: source.url,
      ARC_DST_URL: destination.url,
      ARC_SRC_CA_FILE: caFile,
      ARC_DST_CA_FILE: caFile,
      ARC_SRC_SECRET_DIR: folder,
      ARC_DST_SECRET_DIR: folder,
      ARC_SPEC_JSON: JSON.stringify({ image: 'bench/large:v1' }),
    }),
  (place, source, destination) =>
    measureProgram([
      findProgram('skopeo') ?? '',
      'copy',
      '--all',
      '--preserve-digests',
      ...certificates(place),
      `docker://${source.host}/bench/large:v1`,
      `docker://${destination.host}/bench/large:v1`,
    ]),
];

const copyMany: readonly [Copy, Copy] = [
  ({ caFile }, source, destination) =>
    measureProgram(
      [...arcctlCommand, 'artifact', 'mirror', `https://${source.host}/bench/small`, '--versions', '*', '--to', `https://${destination.host}`, '--ca-file', caFile, '--progress', 'none'], // prettier-ignore
    ),
  (place, source, destination) =>
    measureProgram([
      findProgram('skopeo') ?? '',
      'sync',
      '--all',
      '--preserve-digests',
      ...certificates(place),
      '--src=docker',
      '--dest=docker',
      `${source.host}/bench/small`,
      destination.host,
    ]),
];
