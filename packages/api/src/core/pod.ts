import { s } from '@arc/apimachinery';
import type { KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { ageColumn } from './columns.ts';
import { localObjectReference } from './object-reference.ts';
import { podStatusText } from './pod-status.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const openEnded = { 'x-kubernetes-preserve-unknown-fields': true } as const;

const envVar = s.object(
  {
    name: s.string({ description: 'Name of the variable.' }),
    value: s.optional(s.string({ description: 'Its value.' })),
    valueFrom: s.optional(s.freeForm({ description: 'Where the value comes from instead.' })),
  },
  openEnded,
);

const volumeMount = s.object(
  {
    name: s.string({ description: 'Name of the volume.' }),
    mountPath: s.string({ description: 'Where the step finds it.' }),
    readOnly: s.optional(s.boolean({ description: 'Whether the step may only read.' })),
    subPath: s.optional(s.string({ description: 'The part of the volume that is mounted.' })),
  },
  openEnded,
);

const container = s.object(
  {
    name: s.string({ description: 'Name of the container, unique in the pod.' }),
    image: s.optional(s.string({ description: 'Image the step asks for.' })),
    command: s.optional(s.array(s.string(), { description: 'Program and its first arguments.', 'x-kubernetes-list-type': 'atomic' })),
    args: s.optional(s.array(s.string(), { description: 'Arguments of the program.', 'x-kubernetes-list-type': 'atomic' })),
    workingDir: s.optional(s.string({ description: 'Directory it starts in.' })),
    env: s.optional(
      s.listMap(envVar, ['name'], {
        description: 'Environment variables.',
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'name',
      }),
    ),
    volumeMounts: s.optional(
      s.listMap(volumeMount, ['mountPath'], {
        description: 'Volumes the container sees.',
        'x-kubernetes-patch-strategy': 'merge',
        'x-kubernetes-patch-merge-key': 'mountPath',
      }),
    ),
  },
  openEnded,
);

function containers(description: string) {
  return s.listMap(container, ['name'], {
    description,
    'x-kubernetes-patch-strategy': 'merge',
    'x-kubernetes-patch-merge-key': 'name',
  });
}

const volume = s.object({ name: s.string({ description: 'Name of the volume, unique in the pod.' }) }, openEnded);

const containerState = s.object(
  {
    waiting: s.optional(
      s.object({
        reason: s.optional(s.string({ description: 'Why it has not started.' })),
        message: s.optional(s.string({ description: 'The same in words.' })),
      }),
    ),
    running: s.optional(s.object({ startedAt: s.optional(s.time({ description: 'When it started.' })) })),
    terminated: s.optional(
      s.object({
        exitCode: s.integer({ format: 'int32', description: 'Exit code of the program.' }),
        signal: s.optional(s.integer({ format: 'int32', description: 'Signal that ended it.' })),
        reason: s.optional(s.string({ description: 'Why it ended: Completed, Error, ...' })),
        message: s.optional(s.string({ description: 'The same in words.' })),
        startedAt: s.optional(s.time({ description: 'When it started.' })),
        finishedAt: s.optional(s.time({ description: 'When it ended.' })),
        containerID: s.optional(s.string({ description: 'Runner and number of the run.' })),
      }),
    ),
  },
  { description: 'Exactly one of waiting, running and terminated.' },
);

const containerStatus = s.object(
  {
    name: s.string({ description: 'Name of the container.' }),
    ready: s.boolean({ description: 'Whether it runs and is ready.' }),
    restartCount: s.integer({ format: 'int32', description: 'How often it was started again.' }),
    started: s.optional(s.boolean({ description: 'Whether it has started.' })),
    image: s.optional(s.string({ description: 'Image it runs.' })),
    imageID: s.optional(s.string({ description: 'Digest of the image.' })),
    containerID: s.optional(s.string({ description: 'Runner and number of the run.' })),
    state: s.optional(containerState),
    lastState: s.optional(containerState),
  },
  openEnded,
);

const condition = s.object(
  {
    type: s.string({ description: 'What the condition is about.' }),
    status: s.string({ description: 'True, False or Unknown.' }),
    reason: s.optional(s.string({ description: 'One word for programs.' })),
    message: s.optional(s.string({ description: 'One sentence for people.' })),
    lastProbeTime: s.optional(s.time({ description: 'When it was last looked at.' })),
    lastTransitionTime: s.optional(s.time({ description: 'When the status last changed.' })),
  },
  openEnded,
);

function containerStatuses(description: string) {
  return s.array(containerStatus, { description, 'x-kubernetes-list-type': 'atomic' });
}

const podSchema = s.object({
  spec: s.optional(
    s.object(
      {
        containers: containers('What runs.'),
        initContainers: s.optional(containers('What runs before, one after the other.')),
        volumes: s.optional(
          s.listMap(volume, ['name'], {
            description: 'Directories the containers share.',
            'x-kubernetes-patch-strategy': 'merge,retainKeys',
            'x-kubernetes-patch-merge-key': 'name',
          }),
        ),
        imagePullSecrets: s.optional(
          s.listMap(localObjectReference, ['name'], {
            description: 'Secrets with credentials for pulling images.',
            'x-kubernetes-patch-strategy': 'merge',
            'x-kubernetes-patch-merge-key': 'name',
          }),
        ),
        restartPolicy: s.optional(s.string({ description: 'Always, OnFailure or Never.' })),
        nodeName: s.optional(s.string({ description: 'The host it runs on.' })),
        serviceAccountName: s.optional(s.string({ description: 'The identity it runs under.' })),
        activeDeadlineSeconds: s.optional(s.integer({ description: 'How long it may run, seconds.' })),
        terminationGracePeriodSeconds: s.optional(s.integer({ description: 'Time between SIGTERM and SIGKILL, seconds.' })),
      },
      { description: 'What is to run.', ...openEnded },
    ),
  ),
  status: s.optional(
    s.object(
      {
        phase: s.optional(s.string({ description: 'Pending, Running, Succeeded, Failed or Unknown.' })),
        reason: s.optional(s.string({ description: 'Why it is in this phase, one word.' })),
        message: s.optional(s.string({ description: 'The same in words.' })),
        conditions: s.optional(
          s.listMap(condition, ['type'], {
            description: 'What is known about it.',
            'x-kubernetes-patch-strategy': 'merge',
            'x-kubernetes-patch-merge-key': 'type',
          }),
        ),
        startTime: s.optional(s.time({ description: 'When the runner accepted it.' })),
        hostIP: s.optional(s.string({ description: 'Address of the host.' })),
        podIP: s.optional(s.string({ description: 'Address of the pod.' })),
        qosClass: s.optional(s.string({ description: 'Class of service.' })),
        containerStatuses: s.optional(containerStatuses('One entry a container.')),
        initContainerStatuses: s.optional(containerStatuses('One entry an init container.')),
      },
      { description: 'How far it has come.', ...openEnded },
    ),
  ),
});

/** A pod: in a standalone server, the record of one attempt of a workflow's step. */
export interface Pod extends KubeObject, Static<typeof podSchema> {}
export type ContainerStatus = Static<typeof containerStatus>;

export const pods: ResourceType = { group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true };

export const podDefinition: KindDefinition<Pod> = {
  group: '',
  version: 'v1',
  kind: 'Pod',
  names: { plural: 'pods', singular: 'pod', shortNames: ['po'], categories: ['all'] },
  scope: 'Namespaced',
  description: 'Pod is one run of one step of a workflow; its log is the output of the step.',
  schema: podSchema,
  strategy: {
    allowUnconditionalUpdate: true,
    prepareForCreate(pod) {
      pod.status = { phase: 'Pending' };
    },
    warnings: (pod, old) =>
      old === undefined && !(pod.metadata.ownerReferences ?? []).some((owner) => owner.kind === 'Workflow')
        ? ['pods are records of workflow steps here: nothing runs a pod that no workflow owns']
        : [],
  },
  columns: [
    { name: 'Ready', type: 'string', description: 'Containers that are ready, of all.', value: readyText },
    { name: 'Status', type: 'string', description: 'What the pod is doing.', value: podStatusText },
    { name: 'Restarts', type: 'integer', description: 'How often its containers were started again.', value: restarts },
    ageColumn,
    { name: 'IP', type: 'string', description: 'Address of the pod.', priority: 1, value: (pod) => pod.status?.podIP },
    { name: 'Node', type: 'string', description: 'The host it runs on.', priority: 1, value: (pod) => pod.spec?.nodeName },
  ],
  subresources: { status: true },
  selectableFields: ['spec.nodeName', 'spec.restartPolicy', 'spec.serviceAccountName', 'status.phase', 'status.podIP'],
  strategicMergePatch: true,
  ...protobufBodies('v1', 'Pod'),
};

function readyText({ spec, status }: Pod): string {
  return `${(status?.containerStatuses ?? []).filter(({ ready }) => ready).length}/${spec?.containers.length ?? 0}`;
}

function restarts({ status }: Pod): number {
  return (status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0);
}
