import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { ageColumn } from './columns.ts';
import { canonicalBase64, dataKeyErrors, decodeBase64, immutabilityErrors, maxDataBytes, sameEntries } from './data-keys.ts';
import { protobufBodies } from './protobuf-bodies.ts';

const configMapSchema = s.object({
  immutable: s.optional(s.boolean({ description: 'Once true, the content can no longer change.' })),
  data: s.optional(s.map(s.string(), { description: 'Text values.' })),
  binaryData: s.optional(s.map(s.string(), { description: 'Binary values, in base64.' })),
});

export interface ConfigMap extends KubeObject, Static<typeof configMapSchema> {}

export const configMaps: ResourceType = { group: '', version: 'v1', plural: 'configmaps', kind: 'ConfigMap', namespaced: true };

export const configMapDefinition: KindDefinition<ConfigMap> = {
  group: '',
  version: 'v1',
  kind: 'ConfigMap',
  names: { plural: 'configmaps', singular: 'configmap', shortNames: ['cm'] },
  scope: 'Namespaced',
  description: 'ConfigMap holds settings that are not confidential.',
  schema: configMapSchema,
  strategy: {
    allowUnconditionalUpdate: true,
    prepareForCreate: dropEmptyMaps,
    prepareForUpdate: dropEmptyMaps,
    validate: validateConfigMap,
    validateUpdate: (configMap, old) =>
      immutabilityErrors(configMap, old, {
        data: !sameEntries(configMap.data, old.data),
        binaryData: !sameEntries(configMap.binaryData, old.binaryData),
      }),
  },
  columns: [
    {
      name: 'Data',
      type: 'integer',
      description: 'How many keys it has.',
      value: ({ data, binaryData }) => Object.keys(data ?? {}).length + Object.keys(binaryData ?? {}).length,
    },
    ageColumn,
  ],
  strategicMergePatch: true,
  ...protobufBodies('v1', 'ConfigMap'),
};

function dropEmptyMaps(configMap: ConfigMap): void {
  if (Object.keys(configMap.data ?? {}).length === 0) delete configMap.data;
  if (Object.keys(configMap.binaryData ?? {}).length === 0) delete configMap.binaryData;
  else configMap.binaryData = canonicalBase64(configMap.binaryData ?? {});
}

function validateConfigMap({ data = {}, binaryData = {} }: ConfigMap): FieldError[] {
  const errors: FieldError[] = [];
  let total = 0;
  for (const [key, value] of Object.entries(data)) {
    errors.push(...dataKeyErrors('data', key));
    if (Object.hasOwn(binaryData, key)) errors.push(fieldError.invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
    total += Buffer.byteLength(value, 'utf8');
  }
  for (const [key, value] of Object.entries(binaryData)) {
    errors.push(...dataKeyErrors('binaryData', key));
    if (Object.hasOwn(data, key)) errors.push(fieldError.invalid(`binaryData[${key}]`, key, 'duplicate of key present in data'));
    const decoded = decodeBase64(value);
    if (decoded === undefined) errors.push(fieldError.invalid(`binaryData[${key}]`, value, 'must be base64 (RFC 4648) with padding'));
    else total += decoded.length;
  }
  if (total > maxDataBytes) errors.push(fieldError.tooLong('', maxDataBytes));
  return errors;
}
