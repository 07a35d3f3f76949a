import { parseArgs } from 'node:util';
import { compareServers, type ComparePlan } from './compare/compare-servers.ts';
import { isLocalSubject, localSubjects, missingSubject, startSubject, type LocalSubject } from './compare/local-subjects.ts';
import { openSubject, type Subject } from './compare/subject.ts';
import { createRecorder } from './results/recorder.ts';
import { writeResults } from './results/results-file.ts';

const usage = `usage: npm run bench:compare -- [--start SERVER ...] [--kubeconfig [NAME=]FILE ... --resource GROUP/VERSION/PLURAL]
         [--namespace NS] [--template FILE] [--objects N] [--rounds N] [--seconds N] [--out FILE]

Puts the same load on each of the servers, in turn, and removes the objects it made; the others are compared with the first.
With --start it starts servers of its own and fills them with Orders: ${localSubjects.join(', ')}; kube-apiserver serves
them as a custom resource from an etcd, and is built by test/tools/kubernetes/build.sh.
With --kubeconfig it uses servers that run; NAME is what a server is called in the results. The namespace (default: default) has to
exist. The template is a manifest of one object; Orders need none.
`;

const { values } = parseArgs({
  options: {
    start: { type: 'string', multiple: true },
    kubeconfig: { type: 'string', multiple: true },
    resource: { type: 'string' },
    namespace: { type: 'string', default: 'default' },
    template: { type: 'string' },
    objects: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    out: { type: 'string' },
  },
});

interface Choice {
  readonly starting: readonly LocalSubject[];
  readonly running: readonly Subject[];
  readonly plan: ComparePlan;
}

async function choose(): Promise<Choice> {
  const { start = [], kubeconfig = [], resource, namespace, template, objects, rounds, seconds } = values;
  const starting = start.filter(isLocalSubject);
  const unknown = start.filter((name) => !isLocalSubject(name));
  if (unknown.length > 0) throw new Error(`--start takes ${localSubjects.join(', ')}, not ${unknown.join(', ')}`);
  if (start.length + kubeconfig.length === 0) throw new Error('--start or --kubeconfig is needed');
  const plan = {
    ...{ objects: numberOf('objects', objects), rounds: numberOf('rounds', rounds), durationMs: numberOf('seconds', seconds) * 1000 },
    ...{ writers: [1, 50, 200], watchers: 200, watchedPerSecond: 50 },
  };
  if (kubeconfig.length === 0) return { starting, running: [], plan };
  if (resource === undefined) throw new Error('--kubeconfig needs --resource');
  const options = { resource, namespace, ...(template !== undefined && { templateFile: template }) };
  return { starting, running: await Promise.all(kubeconfig.map((each) => openSubject({ ...options, kubeconfig: each }))), plan };
}

function numberOf(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option} takes a number, not ${text}`);
  return Number(text);
}

async function run({ starting, running, plan }: Choice): Promise<void> {
  const recorder = createRecorder((line) => void process.stdout.write(`${line}\n`));
  await using started = new AsyncDisposableStack();
  const subjects: Subject[] = [];
  for (const name of starting) {
    const missing = missingSubject(name);
    if (missing === undefined) subjects.push(started.use(await startSubject(name)));
    else recorder.skip(`${name}: ${missing}`);
  }
  await compareServers([...subjects, ...running], plan, recorder);
  if (values.out !== undefined) await writeResults(values.out, `${plan.objects} objects`, recorder);
}

let choice: Choice | undefined;
try {
  choice = await choose();
} catch (error) {
  const { message, cause } = error as Error;
  process.stderr.write(`${message}${cause instanceof Error ? `: ${cause.message}` : ''}\n\n${usage}`);
  process.exitCode = 2;
}
if (choice !== undefined) await run(choice);
