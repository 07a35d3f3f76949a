import { exactInteger, exactNumber } from '../json/exact-integer.ts';

/**
 * What a plain YAML scalar means to kubectl (sigs.k8s.io/yaml). These are neither the rules of YAML 1.1 nor of 1.2:
 * `y` and `on` are booleans, `0o17` and `017` are octal, but `12:30:45` and dates stay text (wire contract 4.1). The
 * golden table in the test was taken from kubectl.
 */
export function resolvePlainScalar(source: string): unknown {
  const word = words.get(source);
  if (word !== undefined) return word.value;
  const first = source.charCodeAt(0);
  const numeric = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
  return numeric ? (resolveNumber(source) ?? source) : source;
}

/** The number that kubectl reads in a scalar, or undefined. */
export function resolveNumber(source: string): number | bigint | undefined {
  const special = specialFloats.get(source);
  if (special !== undefined) return special;
  const plain = source.replaceAll('_', '');
  const prefixed = prefixedInteger.exec(plain);
  if (prefixed !== null) return integerOf(prefixed[1] ?? '', prefixed[2] ?? '');
  if (!float.test(plain)) return undefined;
  const value = exactNumber(plain.startsWith('+') ? plain.slice(1) : plain);
  if (typeof value === 'bigint') return value;
  if (!Number.isFinite(value)) return undefined;
  return value === 0 ? 0 : value;
}

const words = new Map<string, { readonly value: boolean | null }>(
  [
    { value: true, spellings: ['y', 'Y', 'yes', 'Yes', 'YES', 'on', 'On', 'ON', 'true', 'True', 'TRUE'] },
    { value: false, spellings: ['n', 'N', 'no', 'No', 'NO', 'off', 'Off', 'OFF', 'false', 'False', 'FALSE'] },
    { value: null, spellings: ['', '~', 'null', 'Null', 'NULL'] },
  ].flatMap(({ value, spellings }) => spellings.map((spelling) => [spelling, { value }] as const)),
);

const specialFloats = new Map<string, number>(
  [
    { value: Number.NaN, spellings: ['.nan', '.NaN', '.NAN'] },
    { value: Number.POSITIVE_INFINITY, spellings: ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'] },
    { value: Number.NEGATIVE_INFINITY, spellings: ['-.inf', '-.Inf', '-.INF'] },
  ].flatMap(({ value, spellings }) => spellings.map((spelling) => [spelling, value] as const)),
);

const prefixedInteger = /^([-+]?)(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO][0-7]+|0[0-7]+)$/;
const float = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

function integerOf(sign: string, digits: string): number | bigint {
  const literal = /^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits;
  const value = BigInt(literal);
  return exactInteger(sign === '-' ? -value : value);
}
