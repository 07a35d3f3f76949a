import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { ageColumn } from './columns.ts';
import { canonicalBase64, dataKeyErrors, decodeBase64, hiddenValue, immutabilityErrors, maxDataBytes, sameEntries } from './data-keys.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const secretSchema = s.object({
  type: s.optional(s.string({ description: 'What the keys mean, for example kubernetes.io/dockerconfigjson. Default: Opaque.' })),
  immutable: s.optional(s.boolean({ description: 'Once true, the content can no longer change.' })),
  // Not `format: byte`: the schema's own check would quote the value in its error.
  data: s.optional(s.map(s.string(), { description: 'The values, in base64.' })),
  stringData: s.optional(s.map(s.string(), { description: 'Values in clear text; written into data, never returned.' })),
});

export interface Secret extends KubeObject, Static<typeof secretSchema> {}

export const secrets: ResourceType = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret', namespaced: true };

export const secretDefinition: KindDefinition<Secret> = {
  group: '',
  version: 'v1',
  kind: 'Secret',
  names: { plural: 'secrets', singular: 'secret' },
  scope: 'Namespaced',
  description: 'Secret holds a small amount of confidential data, such as credentials of an endpoint.',
  schema: secretSchema,
  strategy: {
    allowUnconditionalUpdate: true,
    prepareForCreate(secret) {
      secret.type ||= 'Opaque';
      mergeStringData(secret);
    },
    prepareForUpdate(secret, old) {
      secret.type ||= old.type ?? 'Opaque';
      mergeStringData(secret);
    },
    validate: validateSecret,
    validateUpdate(secret, old) {
      const typeErrors = secret.type === old.type ? [] : [fieldError.invalid('type', secret.type, 'field is immutable')];
      return [...typeErrors, ...immutabilityErrors(secret, old, { data: !sameEntries(secret.data, old.data) })];
    },
  },
  columns: [
    { name: 'Type', type: 'string', description: 'What the keys mean.', value: (secret) => secret.type },
    { name: 'Data', type: 'integer', description: 'How many keys it has.', value: (secret) => Object.keys(secret.data ?? {}).length },
    ageColumn,
  ],
  selectableFields: ['type'],
  strategicMergePatch: true,
  ...protobufBodies('v1', 'Secret'),
};

function mergeStringData(secret: Secret): void {
  const clear = Object.entries(secret.stringData ?? {}).map(
    ([key, value]) => [key, Buffer.from(value, 'utf8').toString('base64')] as const,
  );
  delete secret.stringData;
  const data = { ...canonicalBase64(secret.data ?? {}), ...Object.fromEntries(clear) };
  if (Object.keys(data).length > 0) secret.data = data;
  else delete secret.data;
}

/** The keys a type promises; for basic-auth one of them is enough. */
const requiredKeys: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
};

function validateSecret(secret: Secret): FieldError[] {
  const data = secret.data ?? {};
  const errors: FieldError[] = [];
  let total = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...dataKeyErrors('data', key));
    const decoded = decodeBase64(value);
    if (decoded === undefined) errors.push(fieldError.invalid(`data[${key}]`, hiddenValue, 'must be base64 (RFC 4648) with padding'));
    else total += decoded.length;
  }
  if (total > maxDataBytes) errors.push(fieldError.tooLong('data', maxDataBytes));
  errors.push(...typeErrors(secret.type ?? '', data));
  if (secret.type === 'kubernetes.io/service-account-token' && !secret.metadata.annotations?.['kubernetes.io/service-account.name']) {
    errors.push(fieldError.required('metadata.annotations[kubernetes.io/service-account.name]'));
  }
  return errors;
}

function typeErrors(type: string, data: Readonly<Record<string, string>>): FieldError[] {
  const errors = (requiredKeys[type] ?? []).filter((key) => !Object.hasOwn(data, key)).map((key) => fieldError.required(`data[${key}]`));
  if (type === 'kubernetes.io/basic-auth' && !Object.hasOwn(data, 'username') && !Object.hasOwn(data, 'password')) {
    errors.push(fieldError.required('data[username]'), fieldError.required('data[password]'));
  }
  if (type === 'kubernetes.io/dockercfg' || type === 'kubernetes.io/dockerconfigjson') {
    const key = type === 'kubernetes.io/dockercfg' ? '.dockercfg' : '.dockerconfigjson';
    const decoded = decodeBase64(data[key] ?? '');
    if (Object.hasOwn(data, key) && decoded !== undefined && !isJson(decoded.toString('utf8'))) {
      errors.push(fieldError.invalid(`data[${key}]`, hiddenValue, 'must be valid JSON'));
    }
  }
  return errors;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
