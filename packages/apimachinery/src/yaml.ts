/** YAML by itself, to be imported where it is needed: its parser is 72 modules. */
export { DecodeError } from './codec/decode-error.ts';
export type { Decoded } from './codec/decode-error.ts';
export { decodeJson } from './codec/decode-json.ts';
export { decodeYaml, decodeYamlDocuments } from './codec/decode-yaml.ts';
export { encodeYaml } from './codec/encode-yaml.ts';
