import { parseArgs } from 'node:util';
import { compareServers, type ComparePlan } from './compare/compare-servers.ts';
import { openSubject, type Subject } from './compare/subject.ts';
import { createRecorder } from './results/recorder.ts';
import { writeResults } from './results/write-results.ts';

const usage = `usage: npm run bench:compare -- --kubeconfig [NAME=]FILE ... --resource GROUP/VERSION/PLURAL
         [--namespace NS] [--template FILE] [--objects N] [--rounds N] [--out FILE]

Puts the same load on each of the servers, in turn, and removes the objects it made. NAME is what a server is called in the results.
The namespace (default: default) has to exist. The template is a manifest of one object; Orders need none.
`;

interface Choice {
  readonly subjects: readonly Subject[];
  readonly plan: ComparePlan;
  readonly out: string | undefined;
}

const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string', multiple: true },
    resource: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    template: { type: 'string' },
    objects: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    out: { type: 'string' },
  },
});

async function choose(): Promise<Choice> {
  const { kubeconfig = [], resource, namespace, template, objects, rounds, out } = values;
  if (kubeconfig.length === 0 || resource === undefined) throw new Error('--kubeconfig and --resource are needed');
  const options = { resource, namespace, ...(template !== undefined && { templateFile: template }) };
  const subjects = await Promise.all(kubeconfig.map((each) => openSubject({ ...options, kubeconfig: each })));
  const plan = {
    ...{ objects: numberOf('objects', objects), rounds: numberOf('rounds', rounds) },
    ...{ writers: [1, 50, 200], durationMs: 2000, watchers: 200, watchedPerSecond: 50 },
  };
  return { subjects, plan, out };
}

function numberOf(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option} takes a number, not ${text}`);
  return Number(text);
}

async function run({ subjects, plan, out }: Choice): Promise<void> {
  const recorder = createRecorder((line) => void process.stdout.write(`${line}\n`));
  await compareServers(subjects, plan, recorder);
  if (out !== undefined) await writeResults(out, `${plan.objects} objects`, recorder);
}

try {
  await run(await choose());
} catch (error) {
  const { message, cause } = error as Error;
  process.stderr.write(`${message}${cause instanceof Error ? `: ${cause.message}` : ''}\n\n${usage}`);
  process.exitCode = 2;
}
