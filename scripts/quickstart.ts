import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { orders } from '@arc/api/arc';
import { whenAborted } from '@arc/kernel';
import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { Order } from '@arc/api/arc';
import type { KubeClient } from '@arc/kube-client';
import { arcctlCommand, startEmbeddedArc } from '@arc/testkit';
import { applyExample, orderFile, preparation } from './quickstart/manifests.ts';
import { digestAt, startDemoRegistries } from './quickstart/registries.ts';
import type { DemoRegistries } from './quickstart/registries.ts';

const keep = process.argv.includes('--keep');
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)));

function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

/** Runs arcctl as a user would, on this terminal. */
function arcctl(kubeconfig: string, ...args: readonly string[]): Promise<number> {
  const [program, ...leading] = arcctlCommand;
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...leading, ...args, '--kubeconfig', kubeconfig], { stdio: 'inherit' });
    interrupted.signal.addEventListener('abort', () => child.kill('SIGINT'), { once: true });
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 130));
  });
}

interface Comparison {
  readonly source: string;
  readonly destination: string;
  readonly digest: string | undefined;
  readonly expected: string | undefined;
}

/** What the Order says must be at the destination, and what its registry answers. */
async function compareDigests(client: KubeClient, registries: DemoRegistries): Promise<readonly Comparison[]> {
  const order = await client.get<Order>(orders, { namespace: 'default', name: 'demo' });
  const comparisons: Comparison[] = [];
  for (const artifact of order.spec?.artifacts ?? []) {
    const {
      image = '',
      override = image,
      tags = [],
      platforms,
    } = artifact.spec as {
      image?: string;
      override?: string;
      tags?: readonly string[];
      platforms?: readonly string[];
    };
    const built = registries.images.find((seeded) => seeded.source === image)?.image;
    const expected = platforms?.length === 1 ? built?.platforms.get(platforms[0] ?? '')?.digest : built?.digest;
    const [repository = '', tag = ''] = override.split(':');
    for (const reference of [tag, ...tags]) {
      const digest = await digestAt(registries.destination, repository, reference);
      comparisons.push({ source: image, destination: `${repository}:${reference}`, digest, expected });
    }
  }
  return comparisons;
}

async function demonstrate(folder: string): Promise<boolean> {
  const started = performance.now();
  await using registries = await startDemoRegistries();
  say('1. Two registries on this machine');
  say(
    `   source       ${registries.source.url}   with ${registries.images.map((seeded) => seeded.source).join(', ')}, each for two platforms`,
  );
  say(`   destination  ${registries.destination.url}   empty`);

  await using arc = await startEmbeddedArc({ dataDir: join(folder, 'data') });
  say();
  say('2. ARC, embedded: API server, controllers and workflow engine in one process');
  say(`   ${arc.server}   kubeconfig ${arc.kubeconfig}`);

  await using client = createKubeClient(
    await clientConfigOf(await loadKubeconfig([{ path: arc.kubeconfig, text: await readFile(arc.kubeconfig, 'utf8') }])),
    { userAgent: 'arc-quickstart' },
  );
  say();
  say('3. The manifests of examples/oci');
  const urls = { 'source-registry': registries.source.url, 'destination-registry': registries.destination.url };
  for (const file of preparation) {
    for (const name of await applyExample(client, file, urls)) say(`   ${name} created`);
  }

  say();
  say(`4. The Order: arcctl order submit -f ${relative(process.cwd(), orderFile)} --watch`);
  const code = await arcctl(arc.kubeconfig, 'order', 'submit', '-f', orderFile, '--watch');
  if (code !== 0) {
    say(`   arcctl ended with exit code ${code}.`);
    return false;
  }

  say();
  say('5. What the destination registry answers now');
  const comparisons = await compareDigests(client, registries);
  for (const { source, destination, digest, expected } of comparisons) {
    say(
      `   ${digest !== undefined && digest === expected ? 'same digest' : 'DIFFERENT  '}  ${source} -> ${destination}  ${digest ?? 'missing'}`,
    );
  }
  const good = comparisons.length > 0 && comparisons.every(({ digest, expected }) => digest !== undefined && digest === expected);
  say();
  say(
    good
      ? `Done in ${((performance.now() - started) / 1000).toFixed(1)} s: ${comparisons.length} tags delivered, every digest as at the source.`
      : 'The destination does not hold what the source holds.',
  );
  say(
    keep
      ? 'ARC and both registries keep running; try in another terminal:'
      : 'Everything is stopped again. Run it with "npm run quickstart -- --keep" to leave it running, then try in another terminal:',
  );
  say();
  say(`   export KUBECONFIG=${keep ? arc.kubeconfig : 'KUBECONFIG-IT-PRINTS'}`);
  say('   kubectl get orders,artifactworkflows,workflows,pods');
  say('   kubectl describe order demo');
  say('   kubectl logs $(kubectl get pods -o name | head -n 1)');
  say('   kubectl explain order.spec.artifacts');
  if (keep) {
    say();
    say('Press Ctrl-C to end and clean up.');
    await whenAborted(interrupted.signal);
  }
  return good;
}

const folder = await mkdtemp(join(tmpdir(), 'arc-quickstart-'));
try {
  process.exitCode = (await demonstrate(folder)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = interrupted.signal.aborted ? 130 : 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
