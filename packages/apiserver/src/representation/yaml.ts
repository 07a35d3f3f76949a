import { encodeYaml, parseJson } from '@arc/apimachinery';
import { utf8 } from './object-view.ts';

/** Rewrites JSON as YAML. */
export function toYaml(json: Uint8Array): string {
  return encodeYaml(parseJson(utf8(json)));
}
