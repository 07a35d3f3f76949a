import { ArcError, codeOf, messageOf } from '@arc/kernel';
import { StorageError, type StorageErrorCode } from '@arc/storage';
import { DatabaseError } from 'pg';
import { beingFilledState } from './migrations/0003-imports.ts';
import { describeDatabase, type ConnectionSettings } from './connection-settings.ts';

interface Class {
  readonly code: StorageErrorCode;
  readonly what: string;
  readonly hint: string;
}

const unreachable: Class = {
  code: 'Unavailable',
  what: 'cannot be reached',
  hint: 'Check that PostgreSQL runs and that host and port are right.',
};
const overloaded: Class = {
  code: 'Unavailable',
  what: 'refuses work',
  hint: 'Check max_connections and the memory of the server, or lower pool_size.',
};
const slow: Class = {
  code: 'Unavailable',
  what: 'did not answer in time',
  hint: 'Look for long transactions and a slow disk; statement_timeout in the URL says how long is waited, in milliseconds.',
};
const refused: Class = {
  code: 'Unavailable',
  what: 'refuses the login',
  hint: 'Check user, password and pg_hba.conf.',
};
const noPassword: Class = {
  code: 'Unavailable',
  what: 'wants a password, and there is none',
  hint: 'Give it in a file, with passwordfile=FILE in the URL, or as $PGPASSWORD.',
};
const untrusted: Class = {
  code: 'Unavailable',
  what: 'has no certificate that can be trusted',
  hint: 'Name the authority of the server with sslrootcert, and connect to the host by the name in its certificate.',
};
const noTls: Class = {
  code: 'Unavailable',
  what: 'does not speak TLS',
  hint: 'Turn TLS on in the server, or say sslmode=disable when the network in between is trusted.',
};
const pooled: Class = {
  code: 'Unavailable',
  what: 'stands behind a pooler that does not take the settings of a session',
  hint: 'Add pgbouncer=true to the URL.',
};
const readOnly: Class = {
  code: 'Unavailable',
  what: 'accepts no writes',
  hint: 'Connect to the primary, and check default_transaction_read_only.',
};
const unmigrated: Class = {
  code: 'BadDatabase',
  what: 'lacks the tables of ARC',
  hint: 'Run arcctl storage migrate with the same URL.',
};
const forbidden: Class = {
  code: 'BadDatabase',
  what: 'does not let this user do what is needed',
  hint: 'Grant the rights that docs/guide/storage.md lists.',
};
const beingFilled: Class = {
  code: 'BadDatabase',
  what: 'accepts no writes now',
  hint: 'Stop this server until arcctl storage copy or restore has finished.',
};
const noDatabase: Class = { code: 'BadDatabase', what: 'does not exist', hint: 'Create the database, or correct its name in the URL.' };
const damaged: Class = {
  code: 'BadDatabase',
  what: 'failed',
  hint: 'Look into the log of PostgreSQL; restore a backup if data is damaged.',
};
const full: Class = { code: 'Full', what: 'has no room left', hint: 'Free space on the volume of PostgreSQL, or delete objects.' };

/** By SQLSTATE, the longest prefix wins (PostgreSQL manual, appendix A). */
const byState: Readonly<Record<string, Class>> = {
  '08': unreachable,
  '25006': readOnly,
  '28': refused,
  '3D000': noDatabase,
  '3F000': unmigrated,
  '40': overloaded,
  '42501': forbidden,
  '42883': unmigrated,
  '42P01': unmigrated,
  '53': overloaded,
  '53100': full,
  '55P03': slow,
  '57': unreachable,
  '57014': slow,
  '57P03': unreachable,
  '58': overloaded,
  [beingFilledState]: beingFilled,
};

/** Classifies anything the driver threw, and says which database it was; a StorageError passes through. */
export function failureOf(error: unknown, settings: ConnectionSettings): ArcError {
  if (error instanceof ArcError) return error;
  const { code, what, hint } = classOf(error);
  // Node's advice is about itself, not about us.
  const why = messageOf(error).replace(/; if the root CA is installed locally.*$/, '');
  return new StorageError(code, `the database ${describeDatabase(settings)} ${what}: ${why}`, { hint, cause: error });
}

/** The SQLSTATE the server gave, if it was the server that failed. */
export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** Whether a replica has cancelled a statement that was in the way of replaying (PostgreSQL manual, 26.4.2). */
export function isRecoveryConflict(error: unknown): boolean {
  const state = sqlStateOf(error) ?? (error instanceof ArcError ? sqlStateOf(error.cause) : undefined);
  return state === '40001' || state === '40P01';
}

function classOf(error: unknown): Class {
  const state = sqlStateOf(error);
  if (state === '08P01' && /startup parameter/.test(messageOf(error))) return pooled;
  if (state !== undefined) return byState[state] ?? byState[state.slice(0, 2)] ?? damaged;
  const message = messageOf(error);
  if (/does not support SSL/i.test(message)) return noTls;
  if (/password must be a/.test(message)) return noPassword;
  if (/password/i.test(message)) return refused;
  if (/timeout/i.test(message)) return slow;
  const code = codeOf(error) ?? '';
  return /CERT|SIGNED|SSL|TLS|UNABLE_TO/.test(code) ? untrusted : unreachable;
}
