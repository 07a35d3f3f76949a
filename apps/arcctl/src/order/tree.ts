import { artifactWorkflows, hasFailed, orders, orderUidLabel } from '@arc/api/arc';
import type { ArtifactWorkflow, ArtifactWorkflowStep, Order } from '@arc/api/arc';
import { escapeControls, styleFor } from '@arc/cli-kit';
import { formatAge } from '@arc/kernel';
import { connect } from '../cluster/connection.ts';
import type { Invocation } from '../command.ts';
import { runLabel } from './order-progress.ts';

interface Branch {
  readonly text: string;
  readonly branches: readonly Branch[];
}

/**
 * `arcctl order tree NAME`: the Order, its artifacts with the ArtifactWorkflow of each, and their steps.
 *
 * @throws ApiStatusError
 */
export async function showOrderTree(invocation: Invocation): Promise<void> {
  const { signal, streams } = invocation;
  const [name = ''] = invocation.args;
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const order = await client.get<Order>(orders, { namespace, name }, { signal });
  const labelSelector = `${orderUidLabel}=${order.metadata.uid}`;
  const { items } = await client.list<ArtifactWorkflow>(artifactWorkflows, { namespace, labelSelector, signal });
  const runs = new Map(items.map((run) => [run.metadata.name ?? '', run]));
  const style = styleFor(streams.stdout);
  const shown = (phase: string): string => (hasFailed(phase) ? style.red(phase) : phase === 'Succeeded' ? style.green(phase) : phase);
  const tree = branchOf(order, runs, shown);
  streams.stdout.write(`${tree.text}\n${linesOf(tree.branches, '').join('')}`);
}

function branchOf(order: Order, runs: ReadonlyMap<string, ArtifactWorkflow>, shown: (phase: string) => string): Branch {
  const { phase = 'Pending', artifactWorkflows: entries = {} } = order.status ?? {};
  const artifacts = order.spec?.artifacts ?? [];
  return {
    text: line(`order/${order.metadata.name}`, shown(phase), order.status?.message),
    branches: Object.values(entries)
      .toSorted((a, b) => a.artifactIndex - b.artifactIndex)
      .map((entry) => {
        const run = runs.get(entry.name ?? '');
        const place = run === undefined ? (entry.expired === true ? 'its run is gone' : undefined) : `aw/${run.metadata.name}`;
        const next = entry.nextScheduled === undefined ? undefined : `next at ${entry.nextScheduled}`;
        const why = entry.phase === 'Succeeded' ? undefined : (entry.message ?? next);
        return {
          text: line(runLabel(artifacts[entry.artifactIndex], entry), shown(entry.phase ?? 'Pending'), place, why),
          branches: (run?.status?.steps ?? []).map((step) => ({
            text: line(step.name, shown(step.phase), durationOf(step), step.message),
            branches: [],
          })),
        };
      }),
  };
}

function durationOf({ startTime, completionTime }: ArtifactWorkflowStep): string | undefined {
  const ms = Date.parse(completionTime ?? '') - Date.parse(startTime ?? '');
  return Number.isNaN(ms) ? undefined : formatAge(ms);
}

function line(name: string, phase: string, ...facts: readonly (string | undefined)[]): string {
  const known = facts.flatMap((fact) => (fact === undefined || fact === '' ? [] : [fact]));
  return [escapeControls(name), phase, ...known.map((fact) => escapeControls(fact.split('\n', 1)[0] ?? ''))].join('  ');
}

function linesOf(branches: readonly Branch[], indent: string): string[] {
  return branches.flatMap(({ text, branches: inner }, index) => {
    const isLast = index === branches.length - 1;
    return [`${indent}${isLast ? '└─' : '├─'} ${text}\n`, ...linesOf(inner, `${indent}${isLast ? '   ' : '│  '}`)];
  });
}
