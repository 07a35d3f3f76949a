import type { Digest } from '@arc/transfer';
import { asObject, asText, EvidenceError, type JsonObject, readObject } from '../evidence/untrusted.ts';
import { type Envelope, statementPayloadType } from './envelope.ts';

/** An in-toto statement: a predicate about subjects, which are named by digest. */
export interface Statement {
  readonly predicateType: string;
  readonly subjects: readonly { readonly name: string; readonly digest: JsonObject }[];
  readonly predicate: unknown;
}

const statementTypes = ['https://in-toto.io/Statement/v1', 'https://in-toto.io/Statement/v0.1'];

/** Most subjects that are looked at. */
const subjectLimit = 10_000;

/** Reads the statement of an envelope. Nothing of it may be believed before a signature of the envelope was checked. @throws EvidenceError */
export function readStatement(envelope: Envelope): Statement {
  if (envelope.payloadType !== statementPayloadType)
    throw new EvidenceError(`its payload is ${envelope.payloadType}, not an in-toto statement`);
  const statement = readObject(envelope.payload, 'the statement');
  if (!statementTypes.includes(String(statement['_type'])))
    throw new EvidenceError('its payload is no in-toto statement of a known version');
  const subjects = statement['subject'];
  if (!Array.isArray(subjects) || subjects.length === 0 || subjects.length > subjectLimit)
    throw new EvidenceError('the statement is about nothing, or about too much');
  return {
    predicateType: asText(statement['predicateType'], 'the predicateType of the statement'),
    subjects: subjects.map((entry) => {
      const subject = asObject(entry, 'a subject of the statement');
      const { name } = subject;
      return { name: typeof name === 'string' ? name : '', digest: asObject(subject['digest'], 'the digest of a subject') };
    }),
    predicate: statement['predicate'],
  };
}

/** True when the statement is about the content with this digest. */
export function isAbout(statement: Statement, digest: Digest): boolean {
  const [algorithm = '', encoded = ''] = digest.split(':');
  return statement.subjects.some((subject) => Object.hasOwn(subject.digest, algorithm) && subject.digest[algorithm] === encoded);
}
