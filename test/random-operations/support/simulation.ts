import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { artifactWorkflows, orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { namespaces, secrets } from '@arc/api/core';
import { ApiStatusError } from '@arc/apimachinery';
import type { KubeObject } from '@arc/apimachinery';
import { messageOf } from '@arc/kernel';
import { clientConfigOf, ConnectionError, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { eventually } from '@arc/testkit';
import { ApiHistory } from './api-history.ts';
import { Identities, unconverged } from './convergence.ts';
import type { Knowledge } from './convergence.ts';
import { Judge } from './judge.ts';
import { Meddling } from './meddling.ts';
import * as objects from './objects.ts';
import { createBasics, names } from './objects.ts';
import { operations } from './operations.ts';
import { Processes } from './processes.ts';
import { Random } from './random.ts';
import { releaseFile } from './scripted-steps.ts';
import { readStored, titleOf } from './stored.ts';
import type { Stored } from './stored.ts';

export interface SimulationOptions {
  readonly steps: number;
  readonly seed: number;
  /** Steps between two looks at whether everything converges. Default 100. */
  readonly checkEvery?: number;
  readonly say?: (line: string) => void;
}

export interface SimulationReport {
  /** What must not have happened or did not come about; empty when all is well. */
  readonly complaints: readonly string[];
  /** What was done last, to read what led to it. */
  readonly journal: readonly string[];
  readonly summary: string;
  /** What was told about the objects that the complaints name. */
  readonly story: readonly string[];
}

/** Answers that operations get when they meet each other. */
const expected = new Set(['NotFound', 'AlreadyExists', 'Conflict', 'Forbidden']);
const convergenceMs = 60_000;

/**
 * Does random things to Orders and all they depend on, ends server and controllers as `kill -9` does, and judges by what the
 * API tells that nothing happened that must not, and that all comes to what was asked for whenever it is left alone.
 */
export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const { steps, seed, checkEvery = 100, say = () => {} } = options;
  const directory = await mkdtemp(join(tmpdir(), 'arc-random-'));
  await using parts = new AsyncDisposableStack();
  parts.defer(() => rm(directory, { recursive: true, force: true }));
  const processes = parts.use(new Processes(directory));
  await processes.startServer();
  const client = parts.use(await connect(processes.kubeconfig));
  const passwords: string[] = [];
  const meddling = new Meddling();
  const judge = new Judge(meddling, passwords);
  const knowledge: Knowledge = { judge, meddling, identities: new Identities() };
  const history = parts.use(new ApiHistory(client, judge.observe));
  const newPassword = (of: number | string): string => {
    const password = `pw-${seed}-${of}-hunter2`;
    passwords.push(password);
    return password;
  };
  await createBasics(client, new Random(seed), newPassword);
  await history.start();
  await processes.startControllers();

  const journal: string[] = [];
  const note = (line: string): void => {
    journal.push(`${new Date().toISOString()} ${line}`);
    say(line);
  };
  const tally = { done: 0, kills: 0 };
  const complaints = (): string[] => [...history.complaints, ...judge.complaints];
  const report = (more: readonly string[] = []): SimulationReport => ({
    complaints: [...complaints(), ...more],
    story: judge.story((name) => [...judge.complaints, ...more].some((complaint) => complaint.includes(` ${name} `))),
    journal,
    summary: `${tally.done} operations, ${tally.kills} processes killed, ${history.changes} changes`,
  });
  const release = join(directory, releaseFile);

  const converge = async (): Promise<readonly string[]> => {
    await processes.startAll();
    await writeFile(release, '');
    await untilSeen(client, newPassword);
    const problems = await untilConverged(client, knowledge, history);
    await rm(release);
    judge.conclude();
    return problems;
  };

  for (let step = 1; step <= steps; step += 1) {
    // Each step has its own sequence, so that what one draws depends on no earlier one.
    const random = new Random(Math.imul(seed, 0x9e3779b1) + step);
    const operation = random.weighted(operations);
    const namespace = random.pick(names.namespaces) ?? '';
    const doing = outcomeOf(operation.run({ client, random, namespace, newPassword: () => newPassword(step), meddling }));
    const victim = random.below(1000);
    if (victim < 20) {
      await delay(random.below(6));
      const [server, controllers] = [victim < 11, victim >= 7];
      await Promise.all([server && processes.killServer(), controllers && processes.killControllers()]);
      tally.kills += Number(server) + Number(controllers);
      note(`step ${step}: kill ${server ? 'server ' : ''}${controllers ? 'controllers' : ''}`);
      // Some things happen without controllers.
      if (server || random.chance(50)) await processes.startAll();
    } else if (random.chance(3)) await processes.startAll();
    const outcome = await doing;
    note(`step ${step}: ${namespace}: ${operation.name}: ${outcome}`);
    if (outcome === 'done') tally.done += 1;
    if (outcome.startsWith('failed')) return report([`step ${step}: ${operation.name} ${outcome}`]);
    if (random.chance(25)) await delay(random.below(100));
    processes.assertAlive();
    if (step % checkEvery === 0 || step === steps) {
      const problems = await converge();
      note(`step ${step}: converged, ${history.changes} changes so far`);
      if (problems.length > 0 || complaints().length > 0) return report(problems);
    }
  }
  const left = await endAll(client);
  judge.lookForPasswords('the output of the processes', await processes.output());
  return report(left);
}

async function connect(kubeconfig: string): Promise<KubeClient> {
  const config = await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }]));
  return createKubeClient(config, { userAgent: 'random-operations', multiplex: true });
}

async function outcomeOf(doing: Promise<unknown>): Promise<string> {
  try {
    await doing;
    return 'done';
  } catch (error) {
    if (error instanceof ConnectionError) return 'unknown';
    if (error instanceof ApiStatusError && expected.has(error.status.reason ?? '')) return error.status.reason ?? '';
    return `failed: ${messageOf(error)}`;
  }
}

/**
 * Resolves when the controllers have acted on all that was written before: they are told of Secrets in order, and an Order
 * says when it has seen that one of its own has changed.
 */
async function untilSeen(client: KubeClient, newPassword: (of: string) => string): Promise<void> {
  const generation = async (): Promise<number> =>
    (await client.get<Order>(orders, objects.sentinel)).status?.secretGenerations?.['creds-a'] ?? 0;
  const before = await eventually(async () => (await generation()) || undefined, { what: 'the sentinel', timeoutMs: convergenceMs });
  const data = { password: objects.encode(newPassword(`sentinel-${before}`)) };
  await client.patch(secrets, { namespace: objects.sentinel.namespace, name: 'creds-a' }, { data });
  await eventually(async () => (await generation()) > before, { what: 'the sentinel to see its new Secret', timeoutMs: convergenceMs });
}

/** Reads until everything is as it should be and stays so for two looks; returns what is not. */
async function untilConverged(client: KubeClient, knowledge: Knowledge, history: ApiHistory): Promise<readonly string[]> {
  const deadline = performance.now() + convergenceMs;
  for (;;) {
    const problems = unconverged(await readStored(client), knowledge, Date.now());
    if (problems.length === 0) {
      const { changes } = history;
      await delay(50);
      if (changes === history.changes || unconverged(await readStored(client), knowledge, Date.now()).length === 0) return [];
    }
    if (performance.now() > deadline) return [...problems, ...subjectsOf(problems, await readStored(client))];
    await delay(50);
  }
}

/** The objects that problems are about. */
function subjectsOf(problems: readonly string[], stored: Stored): string[] {
  return [...stored.orders, ...stored.runs, ...stored.workflows]
    .filter((object) => problems.some((problem) => problem.includes(`${titleOf(object)}:`) || problem.includes(`${titleOf(object)} `)))
    .slice(0, 3)
    .map(({ kind, metadata, spec, status }) => JSON.stringify({ kind, metadata: { ...metadata, managedFields: undefined }, spec, status }));
}

/** Deletes all Orders and runs, then the namespaces; returns what does not go. */
async function endAll(client: KubeClient): Promise<readonly string[]> {
  const all = [...names.namespaces, objects.sentinel.namespace];
  for (const type of [orders, artifactWorkflows]) {
    for (const namespace of all) await client.deleteCollection(type, { namespace });
  }
  const left = await untilGone(client, ({ orders, runs, workflows, cronWorkflows, pods, secrets }) => [
    ...[orders, runs, workflows, cronWorkflows, pods].flat(),
    ...secrets.filter(({ metadata }) => (metadata.ownerReferences ?? []).length > 0),
  ]);
  if (left.length > 0) return left;
  const isOurs = ({ metadata }: KubeObject): boolean => all.includes(metadata.name ?? '');
  for (const { metadata } of (await client.list(namespaces)).items.filter(isOurs))
    await client.delete(namespaces, { name: metadata.name ?? '' });
  return await untilGone(client, (stored) => [...stored.namespaces.filter(isOurs), ...stored.endpoints, ...stored.secrets]);
}

async function untilGone(client: KubeClient, which: (stored: Stored) => readonly KubeObject[]): Promise<readonly string[]> {
  const deadline = performance.now() + convergenceMs;
  for (;;) {
    const left = which(await readStored(client));
    if (left.length === 0) return [];
    if (performance.now() > deadline)
      return left.map((object) => `${titleOf(object)} does not go, held by ${object.metadata.finalizers?.join(', ')}`);
    await delay(50);
  }
}
