import { bool, inline, int, list, map, message, present, rawJson, string } from './descriptor.ts';
import { objectMeta, selectorRequirement } from './meta-messages.ts';
import { time } from './time.ts';

/*
 * Field numbers of k8s.io/api/core/v1. What runs pods here reads none of devices, probes, and volumes of particular clouds, so those are
 * left out.
 */

const reference = message({ 1: ['name', string] });
/** A reference whose fields are those of the message it is in. */
const sameReference = [inline, reference] as const;

const keyToPath = message({ 1: ['key', present(string)], 2: ['path', present(string)], 3: ['mode', present(int)] });
/** Written as text in JSON. */
const quantity = rawJson((text) => text);

const fieldRef = message({ 1: ['apiVersion', string], 2: ['fieldPath', present(string)] });
const resourceFieldRef = message({ 1: ['containerName', string], 2: ['resource', present(string)], 3: ['divisor', quantity] });
const keyRef = message({ 1: sameReference, 2: ['key', present(string)], 3: ['optional', present(bool)] });

const downwardFile = message({
  1: ['path', present(string)],
  2: ['fieldRef', fieldRef],
  3: ['resourceFieldRef', resourceFieldRef],
  4: ['mode', present(int)],
});
const projectedReference = message({ 1: sameReference, 2: ['items', list(keyToPath)], 4: ['optional', present(bool)] });
const projection = message({
  1: ['secret', projectedReference],
  2: ['downwardAPI', message({ 1: ['items', list(downwardFile)] })],
  3: ['configMap', projectedReference],
  4: ['serviceAccountToken', message({ 1: ['audience', string], 2: ['expirationSeconds', present(int)], 3: ['path', present(string)] })],
});

const volumeSource = message({
  1: ['hostPath', message({ 1: ['path', present(string)], 2: ['type', present(string)] })],
  2: ['emptyDir', message({ 1: ['medium', string], 2: ['sizeLimit', quantity] })],
  6: [
    'secret',
    message({ 1: ['secretName', string], 2: ['items', list(keyToPath)], 3: ['defaultMode', present(int)], 4: ['optional', present(bool)] }),
  ],
  10: ['persistentVolumeClaim', message({ 1: ['claimName', present(string)], 2: ['readOnly', bool] })],
  16: ['downwardAPI', message({ 1: ['items', list(downwardFile)], 2: ['defaultMode', present(int)] })],
  19: [
    'configMap',
    message({ 1: sameReference, 2: ['items', list(keyToPath)], 3: ['defaultMode', present(int)], 4: ['optional', present(bool)] }),
  ],
  26: ['projected', message({ 1: ['sources', list(projection)], 2: ['defaultMode', present(int)] })],
  28: [
    'csi',
    message({
      1: ['driver', present(string)],
      2: ['readOnly', present(bool)],
      3: ['fsType', present(string)],
      4: ['volumeAttributes', map(string)],
      5: ['nodePublishSecretRef', reference],
    }),
  ],
  30: ['image', message({ 1: ['reference', string], 2: ['pullPolicy', string] })],
});

const environmentVariable = message({
  1: ['name', present(string)],
  2: ['value', string],
  3: [
    'valueFrom',
    message({
      1: ['fieldRef', fieldRef],
      2: ['resourceFieldRef', resourceFieldRef],
      3: ['configMapKeyRef', keyRef],
      4: ['secretKeyRef', keyRef],
    }),
  ],
});
const environmentReference = message({ 1: sameReference, 2: ['optional', present(bool)] });

const resources = message({ 1: ['limits', map(quantity)], 2: ['requests', map(quantity)] });
const seccompProfile = message({ 1: ['type', present(string)], 2: ['localhostProfile', present(string)] });

const container = message({
  1: ['name', present(string)],
  2: ['image', string],
  3: ['command', list(string)],
  4: ['args', list(string)],
  5: ['workingDir', string],
  6: [
    'ports',
    list(
      message({
        1: ['name', string],
        2: ['hostPort', int],
        3: ['containerPort', present(int)],
        4: ['protocol', string],
        5: ['hostIP', string],
      }),
    ),
  ],
  7: ['env', list(environmentVariable)],
  8: ['resources', resources],
  9: [
    'volumeMounts',
    list(
      message({
        1: ['name', present(string)],
        2: ['readOnly', bool],
        3: ['mountPath', present(string)],
        4: ['subPath', string],
        5: ['mountPropagation', present(string)],
        6: ['subPathExpr', string],
        7: ['recursiveReadOnly', present(string)],
      }),
    ),
  ],
  13: ['terminationMessagePath', string],
  14: ['imagePullPolicy', string],
  15: [
    'securityContext',
    message({
      1: ['capabilities', message({ 1: ['add', list(string)], 2: ['drop', list(string)] })],
      2: ['privileged', present(bool)],
      4: ['runAsUser', present(int)],
      5: ['runAsNonRoot', present(bool)],
      6: ['readOnlyRootFilesystem', present(bool)],
      7: ['allowPrivilegeEscalation', present(bool)],
      8: ['runAsGroup', present(int)],
      11: ['seccompProfile', seccompProfile],
    }),
  ],
  16: ['stdin', bool],
  17: ['stdinOnce', bool],
  18: ['tty', bool],
  19: [
    'envFrom',
    list(message({ 1: ['prefix', string], 2: ['configMapRef', environmentReference], 3: ['secretRef', environmentReference] })),
  ],
  20: ['terminationMessagePolicy', string],
  24: ['restartPolicy', present(string)],
});

const nodeSelectorTerm = message({ 1: ['matchExpressions', list(selectorRequirement)], 2: ['matchFields', list(selectorRequirement)] });
const nodeAffinity = message({
  1: ['requiredDuringSchedulingIgnoredDuringExecution', message({ 1: ['nodeSelectorTerms', list(nodeSelectorTerm)] })],
  2: [
    'preferredDuringSchedulingIgnoredDuringExecution',
    list(message({ 1: ['weight', present(int)], 2: ['preference', nodeSelectorTerm] })),
  ],
});

const podSpec = message({
  1: ['volumes', list(message({ 1: ['name', present(string)], 2: [inline, volumeSource] }))],
  2: ['containers', list(container)],
  3: ['restartPolicy', string],
  4: ['terminationGracePeriodSeconds', present(int)],
  5: ['activeDeadlineSeconds', present(int)],
  6: ['dnsPolicy', string],
  7: ['nodeSelector', map(string)],
  8: ['serviceAccountName', string],
  9: ['serviceAccount', string],
  10: ['nodeName', string],
  11: ['hostNetwork', bool],
  12: ['hostPID', bool],
  13: ['hostIPC', bool],
  14: [
    'securityContext',
    message({
      2: ['runAsUser', present(int)],
      3: ['runAsNonRoot', present(bool)],
      5: ['fsGroup', present(int)],
      6: ['runAsGroup', present(int)],
      9: ['fsGroupChangePolicy', present(string)],
      10: ['seccompProfile', seccompProfile],
    }),
  ],
  15: ['imagePullSecrets', list(reference)],
  16: ['hostname', string],
  17: ['subdomain', string],
  18: ['affinity', message({ 1: ['nodeAffinity', nodeAffinity] })],
  19: ['schedulerName', string],
  20: ['initContainers', list(container)],
  21: ['automountServiceAccountToken', present(bool)],
  22: [
    'tolerations',
    list(
      message({
        1: ['key', string],
        2: ['operator', string],
        3: ['value', string],
        4: ['effect', string],
        5: ['tolerationSeconds', present(int)],
      }),
    ),
  ],
  23: ['hostAliases', list(message({ 1: ['ip', present(string)], 2: ['hostnames', list(string)] }))],
  24: ['priorityClassName', string],
  25: ['priority', present(int)],
  27: ['shareProcessNamespace', present(bool)],
  29: ['runtimeClassName', present(string)],
  30: ['enableServiceLinks', present(bool)],
  38: ['schedulingGates', list(message({ 1: ['name', present(string)] }))],
});

const containerState = message({
  1: ['waiting', message({ 1: ['reason', string], 2: ['message', string] })],
  2: ['running', message({ 1: ['startedAt', time] })],
  3: [
    'terminated',
    message({
      1: ['exitCode', present(int)],
      2: ['signal', int],
      3: ['reason', string],
      4: ['message', string],
      5: ['startedAt', time],
      6: ['finishedAt', time],
      7: ['containerID', string],
    }),
  ],
});
const containerStatus = message({
  1: ['name', present(string)],
  2: ['state', containerState],
  3: ['lastState', containerState],
  4: ['ready', present(bool)],
  5: ['restartCount', present(int)],
  6: ['image', present(string)],
  7: ['imageID', present(string)],
  8: ['containerID', string],
  9: ['started', present(bool)],
});
const podCondition = message({
  1: ['type', present(string)],
  2: ['status', present(string)],
  3: ['lastProbeTime', time],
  4: ['lastTransitionTime', time],
  5: ['reason', string],
  6: ['message', string],
});

export const pod = message({
  1: ['metadata', objectMeta],
  2: ['spec', podSpec],
  3: [
    'status',
    message({
      1: ['phase', string],
      2: ['conditions', list(podCondition)],
      3: ['message', string],
      4: ['reason', string],
      5: ['hostIP', string],
      6: ['podIP', string],
      7: ['startTime', time],
      8: ['containerStatuses', list(containerStatus)],
      9: ['qosClass', string],
      10: ['initContainerStatuses', list(containerStatus)],
    }),
  ],
});
