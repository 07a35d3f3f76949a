import {
  apiVersionOf,
  decodeJson,
  decodeProtobuf,
  decodeYaml,
  type FieldError,
  fieldError,
  isObject,
  type JsonObject,
  statusError,
} from '@arc/apimachinery';
import { messageOf } from '@arc/kernel';
import { intParam } from './int-param.ts';
import { bodyType, protobufType } from './media-type.ts';
import { optionsInvalid } from './options-invalid.ts';
import { isTrue } from './request-info.ts';
import { dryRunErrors } from './write-options.ts';

type PropagationPolicy = 'Background' | 'Foreground' | 'Orphan';

export interface DeleteOptions {
  readonly dryRun: boolean;
  /** Undefined: finalizers already on the object decide, else background. */
  readonly propagation: PropagationPolicy | undefined;
  /** Asked for as `orphanDependents: false`, to which clients of old are answered with 202 while the object is held. */
  readonly cascades: boolean;
  readonly preconditions: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface DeleteOptionsSource {
  readonly body: Uint8Array;
  readonly contentType: string | undefined;
  readonly query: URLSearchParams;
  /** The resource's own group and version are accepted as the body's apiVersion too. */
  readonly resource: { readonly group: string; readonly version: string };
}

const policies: readonly PropagationPolicy[] = ['Background', 'Foreground', 'Orphan'];

/**
 * Reads DeleteOptions from the body, or from the query when the body is empty (wire contract 2.4).
 * @throws ApiStatusError 400, 415 or 422.
 */
export function parseDeleteOptions(source: DeleteOptionsSource): DeleteOptions {
  const raw = source.body.length === 0 ? fromQuery(source.query) : fromBody(source);
  const errors: FieldError[] = [];
  const dryRun = stringsOf(raw['dryRun']);
  errors.push(...dryRunErrors(dryRun));
  const policy = raw['propagationPolicy'];
  const orphan = raw['orphanDependents'];
  if (typeof policy === 'string' && policy !== '' && typeof orphan === 'boolean') {
    errors.push(fieldError.invalid('propagationPolicy', policy, 'orphanDependents and deletionPropagation cannot be both set'));
  }
  const known = policies.find((candidate) => candidate === policy);
  if (policy !== undefined && policy !== null && policy !== '' && known === undefined) {
    errors.push(fieldError.notSupported('propagationPolicy', policy, [...policies]));
  }
  if (errors.length > 0) throw optionsInvalid('DeleteOptions', errors);
  return {
    dryRun: dryRun.some((value) => value !== ''),
    propagation: known ?? (orphan === true ? 'Orphan' : orphan === false ? 'Background' : undefined),
    cascades: orphan === false,
    preconditions: preconditionsOf(raw['preconditions']),
  };
}

function fromQuery(query: URLSearchParams): JsonObject {
  intParam(query, 'gracePeriodSeconds');
  const orphan = query.get('orphanDependents');
  const policy = query.get('propagationPolicy');
  return {
    dryRun: query.getAll('dryRun'),
    ...(policy !== null && { propagationPolicy: policy }),
    ...(orphan !== null && { orphanDependents: isTrue(orphan) }),
  };
}

function fromBody({ body, contentType, resource }: DeleteOptionsSource): JsonObject {
  const type = bodyType(contentType);
  const decode = decoders.get(type);
  if (decode === undefined) throw statusError.unsupportedMediaType([...decoders.keys()]);
  const options = decoded(decode, body);
  const { kind, apiVersion } = options;
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') throw unhandled(`${String(kind)} is not a DeleteOptions`);
  const accepted = ['v1', 'meta.k8s.io/v1', apiVersionOf(resource)];
  if (apiVersion !== undefined && apiVersion !== '' && !accepted.some((version) => version === apiVersion)) {
    throw unhandled(`${String(apiVersion)} is not a version of DeleteOptions`);
  }
  return options;
}

const decoders = new Map<string, (body: Uint8Array) => unknown>([
  ['application/json', (body) => decodeJson(body).value],
  ['application/yaml', (body) => decodeYaml(body).value],
  [protobufType, decodeProtobuf],
]);

function decoded(decode: (body: Uint8Array) => unknown, body: Uint8Array): JsonObject {
  let value: unknown;
  try {
    value = decode(body);
  } catch (error) {
    throw unhandled(messageOf(error));
  }
  if (value === null) return {};
  if (!isObject(value)) throw unhandled('the body is not an object');
  return value;
}

function unhandled(why: string): Error {
  return statusError.badRequest(`DeleteOptions in version "v1" cannot be handled as a DeleteOptions: ${why}`);
}

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function preconditionsOf(value: unknown): DeleteOptions['preconditions'] {
  if (!isObject(value)) return {};
  const { uid, resourceVersion } = value;
  return {
    ...(typeof uid === 'string' && { uid }),
    ...(typeof resourceVersion === 'string' && { resourceVersion }),
  };
}
