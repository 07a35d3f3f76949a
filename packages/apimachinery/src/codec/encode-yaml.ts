import { Document, isScalar, Scalar, visit } from 'yaml';
import { resolvePlainScalar } from './yaml-scalar.ts';

/** Writes a JSON value as one YAML document in block style that `decodeYaml` and kubectl read back as the same value. */
export function encodeYaml(value: unknown): string {
  const document = new Document(value, { schema: 'core', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(position, node) {
      if (!isScalar(node) || typeof node.value !== 'string') return;
      if (isMisreadable(node.value) || (position === 'key' && !/^[\w./-]+$/.test(node.value))) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0, indentSeq: false });
}

/** Texts that kubectl would read as something else if they stood there plain. */
function isMisreadable(text: string): boolean {
  return text === '<<' || resolvePlainScalar(text) !== text || /[\u0000-\u0009\u000b-\u001f\u007f-\u00a0\u2028\u2029\ufeff]/.test(text);
}
