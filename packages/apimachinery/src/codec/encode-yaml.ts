import { Document, isScalar, Scalar, visit } from 'yaml';
import { resolvePlainScalar } from './yaml-scalar.ts';

/** Writes a JSON value as one YAML document in block style that `decodeYaml` and kubectl read back as the same value. */
export function encodeYaml(value: unknown): string {
  const document = new Document(value, { schema: 'core', aliasDuplicateObjects: false });
  visit(document, {
    Scalar(_, node) {
      if (isScalar(node) && typeof node.value === 'string' && isMisreadable(node.value)) node.type = Scalar.QUOTE_DOUBLE;
    },
  });
  return document.toString({ lineWidth: 0, indentSeq: false });
}

/** Texts that kubectl would read as something else if they stood there plain. */
function isMisreadable(text: string): boolean {
  return text === '<<' || resolvePlainScalar(text) !== text || /[\u0085\u00a0\u2028\u2029\ufeff\u007f-\u009f]/.test(text);
}
