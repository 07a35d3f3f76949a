import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = mkdtempSync(join(tmpdir(), 'arc-check-'));
const bin = (name: string): string => join(root, 'node_modules', '.bin', name);
/** Each test file is a process of its own: without a cache they strip the types of the same modules 350 times, 0.2 s of CPU time each. */
const compileCache = process.env['NODE_COMPILE_CACHE'] ?? join(scratch, 'compile-cache');

interface Step {
  readonly name: string;
  readonly command: readonly string[];
  /** Node's test runner writes its results here, one JSON line a test. */
  readonly results?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface TestResult {
  readonly name: string;
  readonly file: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly reason?: string;
}

/** @param concurrency files at a time, on the two cores of the smallest machine that is looked after */
function tests(name: string, patterns: readonly string[], concurrency = 2): Step {
  const results = join(scratch, `${name.replaceAll(/\W+/g, '-')}.jsonl`);
  const reporters = ['dot', 'stdout', join(root, 'scripts/test-results-reporter.ts'), results];
  return {
    name,
    results,
    command: [
      process.execPath,
      '--test',
      `--test-concurrency=${concurrency}`,
      '--test-timeout=300000',
      `--test-reporter=${reporters[0]}`,
      `--test-reporter-destination=${reporters[1]}`,
      `--test-reporter=${reporters[2]}`,
      `--test-reporter-destination=${reporters[3]}`,
      ...patterns,
    ],
  };
}

const fast: readonly Step[] = [
  { name: 'format', command: [bin('oxfmt'), '--check', '.'] },
  { name: 'types', command: [bin('tsc'), '-p', '.'] },
  { name: 'lint and layers', command: [bin('oxlint'), '--type-aware', '--deny-warnings', '.'] },
  { name: 'unused code', command: [bin('knip'), '--no-progress'] },
  tests('unit and conformance', ['packages/*/src/**/*.test.ts', 'apps/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/*/**/*.test.ts']),
];
const full: readonly Step[] = [...fast, tests('end to end', ['test/e2e/**/*.test.ts', 'test/random-operations/**/*.test.ts'])];

/** What a cluster is made of, all of it real, but for what runs pods. */
function cluster(): readonly Step[] {
  const seed = process.env['FAULT_SEED'] ?? String(randomInt(2 ** 31));
  return [{ ...tests(`cluster, FAULT_SEED=${seed}`, ['test/cluster/**/*.test.ts']), env: { FAULT_SEED: seed } }];
}

/** The fault tests, so many times, each with a seed that a failure can be repeated with. */
function faults(times: number): readonly Step[] {
  return Array.from({ length: times }, (_, pass) => {
    const seed = process.env['FAULT_SEED'] ?? String(randomInt(2 ** 31));
    const name = `faults, pass ${pass + 1} of ${times}, FAULT_SEED=${seed}`;
    // They mostly wait for timeouts.
    return { ...tests(name, ['test/faults/**/*.test.ts', 'bench/smoke.test.ts'], 4), env: { FAULT_SEED: seed } };
  });
}

function runStep(step: Step): Promise<boolean> {
  process.stdout.write(`\n== ${step.name}\n`);
  const [program = '', ...args] = step.command;
  const env = { ...process.env, NODE_COMPILE_CACHE: compileCache, ...step.env };
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], env });
    child.on('error', (error) => {
      process.stdout.write(`${error.message}\n`);
      resolve(false);
    });
    child.on('exit', (code) => resolve(code === 0));
  });
}

function resultsOf(step: Step): readonly TestResult[] {
  if (step.results === undefined) return [];
  const lines = readFileSync(step.results, 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line): TestResult => JSON.parse(line));
}

const { values: chosen } = parseArgs({
  options: {
    fast: { type: 'boolean' },
    cluster: { type: 'boolean' },
    faults: { type: 'boolean' },
    times: { type: 'string', default: '1' },
  },
});
const chosenSteps = chosen.cluster === true ? cluster() : chosen.fast === true ? fast : full;
const steps = chosen.faults === true ? faults(Number(chosen.times)) : chosenSteps;
const summary: string[] = [];
const results: TestResult[] = [];
let good = true;
for (const step of steps) {
  const started = performance.now();
  const passed = await runStep(step);
  good &&= passed;
  summary.push(`${passed ? 'ok    ' : 'FAILED'} ${step.name} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  results.push(...resultsOf(step));
  if (!passed && chosen.faults === true) break;
}
rmSync(scratch, { recursive: true, force: true });

const of = (outcome: TestResult['outcome']): readonly TestResult[] => results.filter((result) => result.outcome === outcome);
process.stdout.write(`\n${summary.join('\n')}\n`);
for (const result of of('failed')) process.stdout.write(`failed: ${result.file}: ${result.name}\n${result.reason ?? ''}\n`);
for (const result of of('skipped'))
  process.stdout.write(`skipped: ${result.file}: ${result.name}: ${result.reason ?? 'no reason given'}\n`);
process.stdout.write(`\n${of('passed').length} passed, ${of('failed').length} failed, ${of('skipped').length} skipped\n`);
process.exitCode = good && results.length > 0 ? 0 : 1;
