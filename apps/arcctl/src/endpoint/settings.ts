import type { Endpoint } from '@arc/api/arc';
import { UsageError } from '@arc/cli-kit';
import { codeOf } from '@arc/kernel';
import { readFile } from 'node:fs/promises';
import { textOption, textsOption } from '../command.ts';
import type { Invocation } from '../command.ts';

type Settings = Pick<NonNullable<Endpoint['spec']>, 'tls' | 'concurrency' | 'maxBytesPerSecond' | 'contacts' | 'validUntil'>;

/**
 * What the options of `arcctl endpoint add` say beside address and credentials.
 *
 * @throws UsageError
 */
export async function settingsFrom(invocation: Invocation): Promise<Settings> {
  const file = textOption(invocation, 'caFile');
  const secret = textOption(invocation, 'tlsSecret');
  const serverName = textOption(invocation, 'serverName');
  const tls = {
    ...(file !== undefined && { ca: await readAuthorities(file) }),
    ...(secret !== undefined && { secretRef: { name: secret } }),
    ...(serverName !== undefined && { serverName }),
  };
  const concurrency = count(invocation, 'concurrency', '--concurrency');
  const maxBytesPerSecond = count(invocation, 'maxBytesPerSecond', '--max-bytes-per-second');
  const contacts = textsOption(invocation, 'contact').map(contactFrom);
  const validUntil = textOption(invocation, 'validUntil');
  return {
    ...(Object.keys(tls).length > 0 && { tls }),
    ...(concurrency !== undefined && { concurrency }),
    ...(maxBytesPerSecond !== undefined && { maxBytesPerSecond }),
    ...(contacts.length > 0 && { contacts }),
    ...(validUntil !== undefined && { validUntil: timeFrom(validUntil) }),
  };
}

async function readAuthorities(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--ca-file: cannot read ${file}: ${codeOf(error) ?? 'unknown error'}`);
  }
}

function count(invocation: Invocation, option: string, flag: string): number | undefined {
  const text = textOption(invocation, option);
  if (text === undefined) return undefined;
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} must be a whole number of at least 1, not ${text}`);
}

/** `NAME <ADDRESS> (ROLE)`, of which name or address may be missing, and the role. */
function contactFrom(text: string): NonNullable<Settings['contacts']>[number] {
  const { who = '', role = '' } = /^(?<who>.*?)(?:\s*\((?<role>[^()]*)\))?\s*$/.exec(text)?.groups ?? {};
  const { name = '', email = '' } =
    /^(?<name>[^<>]*?)\s*<(?<email>[^<>]*)>$/.exec(who)?.groups ?? (who.includes('@') ? { email: who } : { name: who });
  if (name === '' && email === '')
    throw new UsageError('--contact is empty', { hint: 'Write for example "Jane Doe <jane@example.com> (owner)".' });
  return { ...(name !== '' && { name }), ...(email !== '' && { email }), ...(role !== '' && { role }) };
}

/** A date means its first moment in UTC. */
function timeFrom(text: string): string {
  const time = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d))?$/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
  throw new UsageError(`--valid-until: ${text} is not a time`, { hint: 'Write for example 2030-01-31, or 2030-01-31T12:00:00Z.' });
}
