export { applyConfiguration } from './apply/apply-configuration.ts';
export { applyTypeOf } from './apply/apply-type.ts';
export { sameManagers, trackFields } from './apply/track-fields.ts';
export type { FieldWrite } from './apply/track-fields.ts';
export type { WritableFields } from './apply/tracked-fields.ts';
export type { TypedVersion } from './apply/updater.ts';
export { DecodeError } from './codec/decode-error.ts';
export type { Decoded } from './codec/decode-error.ts';
export { decodeJson } from './codec/decode-json.ts';
export { decodeYaml, decodeYamlDocuments } from './codec/decode-yaml.ts';
export { encodeForStorage, encodeObject } from './codec/encode-object.ts';
export type { EncodedObject } from './codec/encode-object.ts';
export { parseJson } from './codec/parse-json.ts';
export { encodeYaml } from './codec/encode-yaml.ts';
export { aggregatedMediaType, buildDiscovery, pathOf } from './discovery/discovery.ts';
export type { AggregatedVersion, Discovery, DiscoveryDocument } from './discovery/discovery.ts';
export type { Hashes } from './discovery/hashes.ts';
export { servedGroupVersions, verbsOf } from './discovery/served-kinds.ts';
export type { ExtraSubresource, ServedApi, ServedGroupVersion, ServedKind } from './discovery/served-kinds.ts';
export { cloneJson, deepEqual, getOwn, isObject, setOwn } from './json/object.ts';
export type { JsonObject } from './json/object.ts';
export { stringifyJson } from './json/stringify.ts';
export { childPath, indexPath } from './json/path.ts';
export type { ColumnDefinition, KindDefinition, NameRule, ProtobufDecoder, Strategy, Verb } from './kind/kind.ts';
export { generateName, generateNameAttempts } from './meta/generate-name.ts';
export {
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelValueProblems,
  nameProblems,
  qualifiedNameProblems,
} from './meta/name-rules.ts';
export { dedupeOwnerReferences } from './meta/owner-references.ts';
export { specChanged } from './meta/spec-changed.ts';
export { validateLabels, validateObjectMeta, validateObjectMetaUpdate } from './meta/validate-object-meta.ts';
export { apiVersionOf, parseApiVersion } from './meta/types.ts';
export type {
  Condition,
  GroupVersionKind,
  KubeList,
  KubeObject,
  ListMeta,
  ManagedFieldsEntry,
  ObjectMeta,
  OwnerReference,
  ResourceType,
  UnstructuredObject,
  WatchEvent,
  WatchEventType,
} from './meta/types.ts';
export { scaleKind } from './scale/scale-kind.ts';
export type { Scale } from './scale/scale-kind.ts';
export { scaleManagers } from './scale/scale-managers.ts';
export { rescale, scaleOf } from './scale/scale-of.ts';
export type { ScalePaths } from './scale/scale-paths.ts';
export { s } from './schema/builder.ts';
export type { OptionalSchema, Schema, Static } from './schema/builder.ts';
export { buildOpenApi } from './openapi/open-api.ts';
export { buildOpenApiV2 } from './openapi/open-api-v2.ts';
export type { OpenApiV2 } from './openapi/open-api-v2.ts';
export type { OpenApi, OpenApiDocument, OpenApiOptions } from './openapi/open-api.ts';
export { applyJsonPatch } from './patch/json-patch.ts';
export { applyMergePatch } from './patch/merge-patch.ts';
export { applyStrategicMergePatch } from './patch/strategic-merge-patch.ts';
export { decodeProtobuf, protobufDecoderOf } from './protobuf/decode-protobuf.ts';
export { isProtobufEnvelope, readProtobufEnvelope } from './protobuf/envelope.ts';
export type { ProtobufEnvelope } from './protobuf/envelope.ts';
export { applyDefaults } from './schema/defaults.ts';
export { listMetaSchema, objectMetaSchema } from './schema/object-meta-schema.ts';
export { objectSchemaOf } from './schema/object-schema.ts';
export { dropNulls, prune } from './schema/prune.ts';
export { strictDecodingMessages, strictDecodingText } from './schema/strict-decoding.ts';
export type { StructuralSchema } from './schema/structural.ts';
export { validateSchema } from './schema/validate.ts';
export {
  checkFieldSelector,
  fieldAt,
  fieldsOf,
  matchesFields,
  parseFieldSelector,
  printFieldSelector,
  requiredFieldValue,
} from './selectors/field-selector.ts';
export type { FieldRequirement, FieldSelector } from './selectors/field-selector.ts';
export { labelSelectorOf, matchesLabels, printLabelSelector } from './selectors/label-selector.ts';
export type { LabelOperator, LabelRequirement, LabelSelector, LabelSelectorObject } from './selectors/label-selector.ts';
export { parseLabelSelector } from './selectors/parse-label-selector.ts';
export { SelectorError } from './selectors/selector-error.ts';
export { ApiStatusError, failure, isStatusReason, statusError } from './status/api-status-error.ts';
export type { Status, StatusCause, StatusDetails } from './status/api-status-error.ts';
export { fieldError } from './status/field-error.ts';
export type { FieldError, FieldErrorReason } from './status/field-error.ts';
export type { TableCells } from './table/cells.ts';
export {
  listHead,
  listTail,
  partialObjectMetadata,
  partialObjectMetadataListHead,
  partialObjectMetadataParts,
  tableHead,
  tableObject,
  tableTail,
} from './table/table-object.ts';
export type { MetaVersion, TableObjectOptions } from './table/table-object.ts';
export { tableOf, tableRow } from './table/table.ts';
export type { Table, TableRowOptions } from './table/table.ts';
