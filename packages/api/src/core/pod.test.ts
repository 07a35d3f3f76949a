import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podDefinition } from './pod.ts';
import type { ContainerStatus, Pod } from './pod.ts';

function pod(status: Pod['status'], metadata: Pod['metadata'] = {}, spec: Pod['spec'] = { containers: [{ name: 'main' }] }): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', ...metadata },
    ...(spec !== undefined && { spec }),
    ...(status !== undefined && { status }),
  };
}

function container(state: ContainerStatus['state'], fields: Partial<ContainerStatus> = {}): ContainerStatus {
  return { name: 'main', ready: false, restartCount: 0, ...(state !== undefined && { state }), ...fields };
}

function cell(name: string, object: Pod): unknown {
  return podDefinition.columns?.find((column) => column.name === name)?.value(object);
}

test('STATUS tells what kubectl tells', () => {
  const deleting = { deletionTimestamp: '2026-01-01T00:00:00Z' };
  const twoInits = { containers: [{ name: 'main' }], initContainers: [{ name: 'a' }, { name: 'b' }] };
  const cases: readonly (readonly [string, Pod])[] = [
    ['Unknown', pod(undefined)],
    ['Pending', pod({ phase: 'Pending' })],
    ['Running', pod({ phase: 'Running', containerStatuses: [container({ running: {} }, { ready: true })] })],
    ['ContainerCreating', pod({ phase: 'Pending', containerStatuses: [container({ waiting: { reason: 'ContainerCreating' } })] })],
    ['Completed', pod({ phase: 'Succeeded', containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } })] })],
    ['Error', pod({ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 1, reason: 'Error' } })] })],
    ['ExitCode:3', pod({ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 3 } })] })],
    ['Signal:9', pod({ phase: 'Failed', containerStatuses: [container({ terminated: { exitCode: 137, signal: 9 } })] })],
    ['Evicted', pod({ phase: 'Failed', reason: 'Evicted' })],
    ['Terminating', pod({ phase: 'Running' }, deleting)],
    ['Succeeded', pod({ phase: 'Succeeded' }, deleting)],
    ['Init:0/2', pod({ phase: 'Pending', initContainerStatuses: [container({ running: {} })] }, {}, twoInits)],
    [
      'Init:Error',
      pod(
        {
          phase: 'Pending',
          initContainerStatuses: [container({ terminated: { exitCode: 0 } }), container({ terminated: { exitCode: 1, reason: 'Error' } })],
        },
        {},
        twoInits,
      ),
    ],
    [
      'NotReady',
      pod({
        phase: 'Running',
        containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } }), container({ running: {} }, { ready: true })],
      }),
    ],
  ];
  for (const [expected, object] of cases) assert.equal(cell('Status', object), expected);
});

test('READY and RESTARTS count over all containers', () => {
  const object = pod(
    { containerStatuses: [container({ running: {} }, { ready: true, restartCount: 2 }), container({}, { restartCount: 1 })] },
    {},
    { containers: [{ name: 'main' }, { name: 'wait' }] },
  );
  assert.equal(cell('Ready', object), '1/2');
  assert.equal(cell('Restarts', object), 3);
  assert.equal(cell('Ready', pod(undefined)), '0/1');
});

test('a pod that no workflow owns is legal but useless, and says so once', () => {
  const owned = pod(undefined, { ownerReferences: [{ apiVersion: 'argoproj.io/v1alpha1', kind: 'Workflow', name: 'w', uid: 'u' }] });
  assert.equal(podDefinition.strategy?.warnings?.(pod(undefined), undefined).length, 1);
  assert.deepEqual(podDefinition.strategy?.warnings?.(pod(undefined), pod(undefined)), []);
  assert.deepEqual(podDefinition.strategy?.warnings?.(owned, undefined), []);
});
