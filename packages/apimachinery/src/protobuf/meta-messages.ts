import { messageOf } from '@arc/kernel';
import { decodeJson } from '../codec/decode-json.ts';
import { bool, int, list, map, message, present, rawJson, string } from './descriptor.ts';
import { time } from './time.ts';
import { malformedProtobuf } from './wire-reader.ts';

/* Field numbers of k8s.io/apimachinery/pkg/apis/meta/v1. */

const ownerReference = message({
  1: ['kind', present(string)],
  3: ['name', present(string)],
  4: ['uid', present(string)],
  5: ['apiVersion', present(string)],
  6: ['controller', present(bool)],
  7: ['blockOwnerDeletion', present(bool)],
});

const managedFieldsEntry = message({
  1: ['manager', string],
  2: ['operation', string],
  3: ['apiVersion', string],
  4: ['time', time],
  6: ['fieldsType', string],
  7: ['fieldsV1', rawJson(parseJson)],
  8: ['subresource', string],
});

export const objectMeta = message({
  1: ['name', string],
  2: ['generateName', string],
  3: ['namespace', string],
  4: ['selfLink', string],
  5: ['uid', string],
  6: ['resourceVersion', string],
  7: ['generation', int],
  8: ['creationTimestamp', time],
  9: ['deletionTimestamp', time],
  10: ['deletionGracePeriodSeconds', present(int)],
  11: ['labels', map(string)],
  12: ['annotations', map(string)],
  13: ['ownerReferences', list(ownerReference)],
  14: ['finalizers', list(string)],
  17: ['managedFields', list(managedFieldsEntry)],
});

export const deleteOptions = message({
  1: ['gracePeriodSeconds', present(int)],
  2: ['preconditions', message({ 1: ['uid', present(string)], 2: ['resourceVersion', present(string)] })],
  3: ['orphanDependents', present(bool)],
  4: ['propagationPolicy', present(string)],
  5: ['dryRun', list(string)],
  6: ['ignoreStoreReadErrorWithClusterBreakingPotential', present(bool)],
});

/** A requirement of a label or a field selector. */
export const selectorRequirement = message({
  1: ['key', present(string)],
  2: ['operator', present(string)],
  3: ['values', list(string)],
});

function parseJson(text: string): unknown {
  try {
    return decodeJson(text).value;
  } catch (error) {
    throw malformedProtobuf(messageOf(error));
  }
}
