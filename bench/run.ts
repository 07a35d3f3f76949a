import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '@arc/kernel';
import type { Bench } from './benches/bench.ts';
import { planFor, plans, type Size } from './plan.ts';
import { describeMachine } from './results/machine.ts';
import { createRecorder } from './results/recorder.ts';
import { mergeResults, readResults, writeResults } from './results/results-file.ts';
import type { Results } from './results/measurement.ts';
import { backendNames, missingBackend, type BackendName } from './server/backends.ts';
import { suite } from './suite.ts';

const usage = `usage: npm run bench -- [--size small|medium|full|complete] [--backend NAME ...] [--out FILE [--add]] [BENCH ...]

Without BENCH everything is measured:
${suite.map(({ name, about }) => `  ${name.padEnd(16)} ${about}`).join('\n')}

FILE is written after every bench. With --add it keeps what it holds of other benches and backends, so that a long run can be done in parts.

Backends: ${backendNames.join(', ')}; without --backend all of them.
`;

interface Choice {
  readonly size: Size;
  readonly benches: readonly Bench[];
  readonly backends: readonly BackendName[];
  readonly out: string | undefined;
  /** What is kept of earlier runs. */
  readonly before: Results | undefined;
}

async function chosen(): Promise<Choice> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      size: { type: 'string', default: 'small' },
      backend: { type: 'string', multiple: true },
      out: { type: 'string' },
      add: { type: 'boolean', default: false },
    },
  });
  const { size, backend = [...backendNames], out, add } = values;
  if (add && out === undefined) throw new Error('--add needs --out');
  if (!isSize(size)) throw new Error(`--size is one of ${Object.keys(plans).join(', ')}, not ${size}`);
  const wrong = [
    ...backend.filter((name) => !backendNames.some((known) => known === name)),
    ...positionals.filter((name) => !suite.some((bench) => bench.name === name)),
  ];
  if (wrong.length > 0) throw new Error(`unknown: ${wrong.join(', ')}`);
  return {
    size,
    out,
    before: add && out !== undefined && existsSync(out) ? await readResults(out, size) : undefined,
    backends: backendNames.filter((name) => backend.includes(name)),
    benches: positionals.length === 0 ? suite : suite.filter(({ name }) => positionals.includes(name)),
  };
}

function isSize(size: string): size is Size {
  return Object.hasOwn(plans, size);
}

async function run({ size, benches, backends, out, before }: Choice): Promise<void> {
  const started = performance.now();
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const recorder = createRecorder(print);
  const machine = await describeMachine();
  print(`Node ${machine.node}, ${machine.cores} cores, size ${size}; median (lowest .. highest of all rounds)`);
  for (const bench of benches) {
    const over = bench.backends === 'none' ? (['memory'] as const) : backends;
    for (const backend of over) {
      const where = bench.backends === 'none' ? bench.name : `${bench.name} on ${backend}`;
      const missing = missingBackend(backend);
      if (missing !== undefined) {
        recorder.skip(`${where}: ${missing}`);
        continue;
      }
      print(`\n${where}, after ${Math.round((performance.now() - started) / 1000)} s`);
      const plan = bench.backends === 'none' ? plans[size] : planFor(backend, plans[size]);
      try {
        await bench.run({ backend, plan, recorder });
      } catch (error) {
        // The others may still be worth the time they take.
        recorder.skip(`${where}: ${messageOf(error).split('\n')[0]}`);
        process.exitCode = 1;
      }
      if (out !== undefined) await writeResults(out, size, mergeResults(before, recorder));
    }
  }
  print(`\n${Math.round((performance.now() - started) / 1000)} s`);
}

let choice: Choice | undefined;
try {
  choice = await chosen();
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n\n${usage}`);
  process.exitCode = 2;
}
if (choice !== undefined) await run(choice);
