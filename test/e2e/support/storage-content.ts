import assert from 'node:assert/strict';
import type { KubeObject } from '@arc/apimachinery';
import { eventually, findKubectls, kubectlRunner } from '@arc/testkit';
import type { CommandResult, RunOptions } from '@arc/testkit';
import type { World } from './world.ts';

const kubectl = (await findKubectls()).at(-1);

export const missingKubectl = kubectl === undefined ? 'no kubectl of 1.27 or newer on this machine' : undefined;

export interface Stored extends KubeObject {
  readonly metadata: KubeObject['metadata'] & { readonly uid: string; readonly resourceVersion: string };
}

/** By uid, as kubectl shows it: everything but what servers that share a storage agree by. */
export type Content = ReadonlyMap<string, Stored>;

async function runKubectl(world: World, args: readonly string[], options?: RunOptions): Promise<CommandResult> {
  assert.ok(kubectl);
  return await kubectlRunner(kubectl, world.arc.kubeconfig)(args, options);
}

/** What kubectl printed, when it succeeded. */
export async function kubectlOutput(world: World, args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, stdout, stderr } = await runKubectl(world, args, options);
  assert.equal(code, 0, `kubectl ${args.join(' ')}\n${stdout}${stderr}`);
  return stdout;
}

export async function contentOf(world: World): Promise<Content> {
  const kinds = (await kubectlOutput(world, ['api-resources', '--verbs=list', '-o', 'name'])).trim().split('\n');
  const { items } = JSON.parse(await kubectlOutput(world, ['get', kinds.join(','), '-A', '-o', 'json', '--show-managed-fields'])) as {
    readonly items: readonly Stored[];
  };
  return new Map(items.filter((item) => !isAgreement(item)).map((item) => [item.metadata.uid, item]));
}

/** The lease is renewed all the time. */
function isAgreement({ kind, metadata }: Stored): boolean {
  return kind === 'Lease' || (kind === 'Secret' && metadata.name === 'arc-digest-key');
}

/** The content once nothing writes any more. */
export async function settledContentOf(world: World): Promise<Content> {
  let last = await contentOf(world);
  return await eventually(
    async () => {
      const now = await contentOf(world);
      const isSettled = JSON.stringify([...now]) === JSON.stringify([...last]);
      last = now;
      return isSettled ? now : undefined;
    },
    { what: 'the writes to end' },
  );
}

const revisionOf = ({ metadata }: Stored): number => Number(metadata.resourceVersion);
export const newestOf = (content: Content): number => Math.max(...[...content.values()].map(revisionOf));
export const inRevisionOrder = (content: Content): readonly string[] =>
  [...content].toSorted(([, a], [, b]) => revisionOf(a) - revisionOf(b)).map(([uid]) => uid);

export function withoutRevisions(content: Content): Content {
  return new Map([...content].map(([uid, item]) => [uid, { ...item, metadata: { ...item.metadata, resourceVersion: '' } }]));
}

/** What a watch of ConfigMaps from a revision on is told within a second. */
export async function watchFrom(world: World, revision: number): Promise<readonly string[]> {
  const path = `/api/v1/namespaces/default/configmaps?watch=true&resourceVersion=${revision}&timeoutSeconds=1`;
  const { stdout, stderr } = await runKubectl(world, ['get', '--raw', path]);
  if (stderr !== '') return [/\(Expired\)/.exec(stderr)?.[0] ?? stderr];
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: KubeObject & { readonly reason?: string } };
      return `${type} ${object.reason ?? object.metadata.name}`;
    });
}

/** An object without what a server adds to it. */
export function writtenByPeople(item: Stored | undefined): unknown {
  const { metadata, ...content } = structuredClone(item) as Stored & Record<string, unknown>;
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...annotations } = metadata.annotations ?? {};
  delete content['status'];
  return { ...content, metadata: { labels: metadata.labels, annotations, finalizers: metadata.finalizers } };
}

/** By kind, namespace and name. */
export function byName(content: Content): ReadonlyMap<string, Stored> {
  return new Map([...content.values()].map((item) => [`${item.kind} ${item.metadata.namespace ?? ''}/${item.metadata.name}`, item]));
}
