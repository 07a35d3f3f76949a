import { bool, bytes, int, list, map, message, present, string } from './descriptor.ts';
import { objectMeta } from './meta-messages.ts';
import { microTime, time } from './time.ts';

/* Field numbers of k8s.io/api/core/v1, events/v1 and coordination/v1. */

const namespaceCondition = message({
  1: ['type', present(string)],
  2: ['status', present(string)],
  4: ['lastTransitionTime', time],
  5: ['reason', string],
  6: ['message', string],
});

export const namespace = message({
  1: ['metadata', objectMeta],
  2: ['spec', message({ 1: ['finalizers', list(string)] })],
  3: ['status', message({ 1: ['phase', string], 2: ['conditions', list(namespaceCondition)] })],
});

export const secret = message({
  1: ['metadata', objectMeta],
  2: ['data', map(bytes)],
  3: ['type', string],
  4: ['stringData', map(string)],
  5: ['immutable', present(bool)],
});

export const configMap = message({
  1: ['metadata', objectMeta],
  2: ['data', map(string)],
  3: ['binaryData', map(bytes)],
  4: ['immutable', present(bool)],
});

const objectReference = message({
  1: ['kind', string],
  2: ['namespace', string],
  3: ['name', string],
  4: ['uid', string],
  5: ['apiVersion', string],
  6: ['resourceVersion', string],
  7: ['fieldPath', string],
});

export const serviceAccount = message({
  1: ['metadata', objectMeta],
  2: ['secrets', list(objectReference)],
  3: ['imagePullSecrets', list(message({ 1: ['name', string] }))],
  4: ['automountServiceAccountToken', present(bool)],
});

const eventSource = message({ 1: ['component', string], 2: ['host', string] });

export const coreEvent = message({
  1: ['metadata', objectMeta],
  2: ['involvedObject', objectReference],
  3: ['reason', string],
  4: ['message', string],
  5: ['source', eventSource],
  6: ['firstTimestamp', time],
  7: ['lastTimestamp', time],
  8: ['count', int],
  9: ['type', string],
  10: ['eventTime', microTime],
  11: ['series', message({ 1: ['count', int], 2: ['lastObservedTime', microTime] })],
  12: ['action', string],
  13: ['related', objectReference],
  14: ['reportingComponent', present(string)],
  15: ['reportingInstance', present(string)],
});

export const eventsEvent = message({
  1: ['metadata', objectMeta],
  2: ['eventTime', microTime],
  3: ['series', message({ 1: ['count', present(int)], 2: ['lastObservedTime', microTime] })],
  4: ['reportingController', string],
  5: ['reportingInstance', string],
  6: ['action', string],
  7: ['reason', string],
  8: ['regarding', objectReference],
  9: ['related', objectReference],
  10: ['note', string],
  11: ['type', string],
  12: ['deprecatedSource', eventSource],
  13: ['deprecatedFirstTimestamp', time],
  14: ['deprecatedLastTimestamp', time],
  15: ['deprecatedCount', int],
});

export const lease = message({
  1: ['metadata', objectMeta],
  2: [
    'spec',
    message({
      1: ['holderIdentity', present(string)],
      2: ['leaseDurationSeconds', present(int)],
      3: ['acquireTime', microTime],
      4: ['renewTime', microTime],
      5: ['leaseTransitions', present(int)],
      6: ['strategy', present(string)],
      7: ['preferredHolder', present(string)],
    }),
  ],
});
