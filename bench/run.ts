import { parseArgs } from 'node:util';
import type { Bench } from './benches/bench.ts';
import { plans, type Size } from './plan.ts';
import { describeMachine } from './results/machine.ts';
import { createRecorder } from './results/recorder.ts';
import { writeResults } from './results/write-results.ts';
import { backendNames, missingBackend, type BackendName } from './server/backends.ts';
import { suite } from './suite.ts';

const usage = `usage: npm run bench -- [--size small|full] [--backend NAME ...] [--out FILE] [BENCH ...]

Without BENCH everything is measured:
${suite.map(({ name, about }) => `  ${name.padEnd(16)} ${about}`).join('\n')}

Backends: ${backendNames.join(', ')}; without --backend all of them.
`;

interface Choice {
  readonly size: Size;
  readonly benches: readonly Bench[];
  readonly backends: readonly BackendName[];
  readonly out: string | undefined;
}

function chosen(): Choice {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { size: { type: 'string', default: 'small' }, backend: { type: 'string', multiple: true }, out: { type: 'string' } },
  });
  const { size, backend = [...backendNames], out } = values;
  if (size !== 'small' && size !== 'full') throw new Error(`--size is small or full, not ${size}`);
  const wrong = [
    ...backend.filter((name) => !backendNames.some((known) => known === name)),
    ...positionals.filter((name) => !suite.some((bench) => bench.name === name)),
  ];
  if (wrong.length > 0) throw new Error(`unknown: ${wrong.join(', ')}`);
  return {
    size,
    out,
    backends: backendNames.filter((name) => backend.includes(name)),
    benches: positionals.length === 0 ? suite : suite.filter(({ name }) => positionals.includes(name)),
  };
}

async function run({ size, benches, backends, out }: Choice): Promise<void> {
  const started = performance.now();
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  const recorder = createRecorder(print);
  const machine = await describeMachine();
  print(`Node ${machine.node}, ${machine.cores} cores, size ${size}; median (lowest .. highest of all rounds)`);
  for (const bench of benches) {
    const over = bench.backends === 'none' ? (['memory'] as const) : backends;
    for (const backend of over) {
      const missing = missingBackend(backend);
      if (missing !== undefined) {
        recorder.skip(`${bench.name} on ${backend}: ${missing}`);
        continue;
      }
      print(
        `\n${bench.name}${bench.backends === 'none' ? '' : ` on ${backend}`}, after ${Math.round((performance.now() - started) / 1000)} s`,
      );
      await bench.run({ backend, plan: plans[size], recorder });
    }
  }
  if (out !== undefined) await writeResults(out, size, recorder);
}

let choice: Choice | undefined;
try {
  choice = chosen();
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${usage}`);
  process.exitCode = 2;
}
if (choice !== undefined) await run(choice);
