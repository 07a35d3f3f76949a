import type { JsonObject } from '../json/object.ts';
import type { ProtobufDecoder } from '../kind/kind.ts';
import { failure } from '../status/api-status-error.ts';
import { configMap, coreEvent, eventsEvent, lease, namespace, secret, serviceAccount } from './core-messages.ts';
import type { MessageType } from './descriptor.ts';
import { readProtobufEnvelope } from './envelope.ts';
import { deleteOptions } from './meta-messages.ts';
import { pod } from './pod-messages.ts';
import { binding, clusterRole, role } from './rbac-messages.ts';
import { selfSubjectAccessReview, selfSubjectReview, selfSubjectRulesReview, subjectAccessReview, tokenReview } from './review-messages.ts';
import { scale } from './scale-message.ts';

const messages = new Map<string, MessageType>([
  ['v1 ConfigMap', configMap],
  ['v1 Event', coreEvent],
  ['v1 Namespace', namespace],
  ['v1 Pod', pod],
  ['v1 Secret', secret],
  ['v1 ServiceAccount', serviceAccount],
  ['authentication.k8s.io/v1 SelfSubjectReview', selfSubjectReview],
  ['authentication.k8s.io/v1 TokenReview', tokenReview],
  ['authorization.k8s.io/v1 LocalSubjectAccessReview', subjectAccessReview],
  ['authorization.k8s.io/v1 SelfSubjectAccessReview', selfSubjectAccessReview],
  ['authorization.k8s.io/v1 SelfSubjectRulesReview', selfSubjectRulesReview],
  ['authorization.k8s.io/v1 SubjectAccessReview', subjectAccessReview],
  ['autoscaling/v1 Scale', scale],
  ['coordination.k8s.io/v1 Lease', lease],
  ['events.k8s.io/v1 Event', eventsEvent],
  ['rbac.authorization.k8s.io/v1 ClusterRole', clusterRole],
  ['rbac.authorization.k8s.io/v1 ClusterRoleBinding', binding],
  ['rbac.authorization.k8s.io/v1 Role', role],
  ['rbac.authorization.k8s.io/v1 RoleBinding', binding],
]);

/** The decoder of a core kind's message (`KindDefinition.protobuf`), or undefined when there is none. */
export function protobufDecoderOf(apiVersion: string, kind: string): ProtobufDecoder | undefined {
  // DeleteOptions come under v1, meta.k8s.io/v1 or the version of the resource (wire contract 2.4).
  const type = kind === 'DeleteOptions' ? deleteOptions : messages.get(`${apiVersion} ${kind}`);
  return type?.decode;
}

/**
 * Decodes a Kubernetes protobuf body (magic bytes, envelope, message) into the object it would be as JSON; zero values
 * and nulls that Go's JSON would show are left out.
 *
 * @throws ApiStatusError 400 when it is malformed, 415 when the kind is not known in protobuf.
 */
export function decodeProtobuf(body: Uint8Array): JsonObject {
  const { apiVersion, kind, raw } = readProtobufEnvelope(body);
  const decode = protobufDecoderOf(apiVersion, kind);
  if (decode === undefined) {
    throw failure(415, 'UnsupportedMediaType', `${apiVersion} ${kind} is not accepted as protobuf: send it as application/json`);
  }
  return { apiVersion, kind, ...decode(raw) };
}
