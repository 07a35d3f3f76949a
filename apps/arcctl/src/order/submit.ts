import { orders } from '@arc/api/arc';
import type { Order } from '@arc/api/arc';
import { UsageError } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { apiVersionOf, isStatusReason } from '@arc/apimachinery/client';
import type { KubeObject, ResourceType } from '@arc/apimachinery/client';
import { ArcError, messageOf } from '@arc/kernel';
import { discover } from '@arc/kube-client';
import type { DiscoveredResource, KubeClient, ObjectRef } from '@arc/kube-client';
import { connect } from '../cluster/connection.ts';
import type { Connection } from '../cluster/connection.ts';
import { hasFlag, textsOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { readManifests } from '../manifests/read-manifests.ts';
import type { Manifest } from '../manifests/read-manifests.ts';
import { qualifiedName } from '../output/print-objects.ts';
import { waitForOrders } from './wait.ts';
import { timeoutFrom } from './timeout.ts';

interface Submission extends Manifest {
  readonly type: ResourceType;
}

/** `arcctl order submit -f FILE`. */
export async function submitOrders(invocation: Invocation): Promise<ExitCode | void> {
  const timeoutMs = timeoutFrom(invocation);
  const isWatch = hasFlag(invocation, 'watch');
  const isWait = isWatch || hasFlag(invocation, 'wait');
  if (timeoutMs !== undefined && !isWait) throw new UsageError('--timeout without --wait or --watch has no meaning');
  const manifests = await readManifests(textsOption(invocation, 'filename'), invocation.streams.stdin);
  await using connection = await connect(invocation);
  const { client } = connection;
  const resources = await discover(client, { signal: invocation.signal });
  const submissions = manifests.map((manifest) => prepare(manifest, resources, connection));
  // Creating half of a file and failing at the rest is what the trial run is for; one object needs none.
  if (submissions.length > 1) await tryAll(client, submissions, invocation.signal);
  const created = await createAll(invocation, client, submissions);
  if (isWait) return await waitForOrders(invocation, client, created, { showProgress: isWatch, timeoutMs });
}

function prepare(manifest: Manifest, resources: readonly DiscoveredResource[], connection: Connection): Submission {
  const { object, where } = manifest;
  const type = typeOf(object, resources, where);
  const own = object.metadata.namespace;
  if (!type.namespaced) return { ...manifest, type };
  if (own !== undefined && connection.isNamespaceExplicit && own !== connection.namespace) {
    throw new UsageError(
      `${where}: its namespace ${JSON.stringify(own)} is not the one given with -n, ${JSON.stringify(connection.namespace)}`,
      {
        hint: `Leave out -n, or write -n ${own}.`,
      },
    );
  }
  const metadata = { ...object.metadata, namespace: own ?? connection.namespace };
  return { where, type, object: { ...object, metadata } };
}

function typeOf(object: KubeObject, resources: readonly DiscoveredResource[], where: string): ResourceType {
  const ofKind = resources.filter(({ type }) => type.kind === object.kind);
  const found = ofKind.find(({ type }) => apiVersionOf(type) === object.apiVersion);
  if (found !== undefined) return found.type;
  const elsewhere = ofKind.map(({ type }) => apiVersionOf(type));
  throw new ArcError('UnknownKind', `${where}: the server has no kind ${JSON.stringify(object.kind)} in ${object.apiVersion}`, {
    hint: elsewhere.length > 0 ? `It has one in ${elsewhere.join(' and ')}: correct apiVersion.` : 'Correct kind and apiVersion.',
  });
}

const writeOptions = { fieldManager: 'arcctl', fieldValidation: 'Strict' } as const;

/** Asks the server about every object without storing anything, and reports all that is wrong at once. */
async function tryAll(client: KubeClient, submissions: readonly Submission[], signal: AbortSignal): Promise<void> {
  const madeHere = new Set(submissions.filter(({ type }) => type.plural === 'namespaces').map(({ object }) => object.metadata.name));
  const problems: { readonly where: string; readonly error: unknown }[] = [];
  for (const { type, object, where } of submissions) {
    try {
      await client.create(type, object, { ...writeOptions, dryRun: true, signal });
    } catch (error) {
      const waitsForNamespace = isStatusReason(error, 'NotFound') && madeHere.has(object.metadata.namespace);
      if (!waitsForNamespace) problems.push({ where, error });
    }
  }
  const [first, ...others] = problems;
  if (first === undefined) return;
  if (others.length === 0) throw located(first.error, first.where);
  throw new ArcError('InvalidManifest', problems.map(({ where, error }) => `${where}: ${messageOf(error)}`).join('\n'), {
    cause: first.error,
    hint: 'Nothing was created. Correct these, then submit again.',
  });
}

async function createAll(invocation: Invocation, client: KubeClient, submissions: readonly Submission[]): Promise<ObjectRef[]> {
  const { streams, signal } = invocation;
  const createdOrders: ObjectRef[] = [];
  for (const { type, object, where } of submissions) {
    let created: KubeObject;
    try {
      created = await client.create(type, object, { ...writeOptions, signal });
    } catch (error) {
      throw located(error, where);
    }
    streams.stdout.write(`${qualifiedName(type, created)} created\n`);
    if (isOrder(created, type)) createdOrders.push({ namespace: created.metadata.namespace ?? '', name: created.metadata.name ?? '' });
  }
  return createdOrders;
}

function isOrder(object: KubeObject, type: ResourceType): object is Order {
  return object.kind === orders.kind && type.group === orders.group;
}

/** Says which object of the file an answer of the server is about. */
function located(error: unknown, where: string): unknown {
  if (!(error instanceof ArcError)) return error;
  const hint = isStatusReason(error, 'AlreadyExists')
    ? 'An Order is submitted once: watch it with arcctl order watch, choose another name, or change it with kubectl apply.'
    : error.hint;
  return new ArcError(error.code, `${where}: ${error.message}`, {
    cause: error,
    retryable: error.retryable,
    details: error.details,
    ...(hint !== undefined && { hint }),
  });
}
