import { createTablePrinter } from '@arc/cli-kit';
import { connect } from '../cluster/connection.ts';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { type Credential, listCredentials } from './credentials.ts';

/** `arcctl user list`: every credential that was handed out and is still recorded. */
export async function listUsers(invocation: Invocation): Promise<void> {
  const { clock, signal, streams } = invocation;
  await using connection = await connect(invocation);
  const credentials = await listCredentials(connection.client, signal);
  const rows = credentials.map((credential) => ({ ...credential, state: stateOf(credential, clock.now()) }));
  if (textOption(invocation, 'output') === 'json') {
    const shown = rows.map(({ expires, revoked: _revoked, ...row }) => ({ ...row, expires: new Date(expires).toISOString() }));
    streams.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
    return;
  }
  if (rows.length === 0) {
    streams.stderr.write('No credentials were handed out\n');
    return;
  }
  createTablePrinter(
    streams.stdout,
    ['User', 'Kind', 'Groups', 'Expires', 'State', 'Id'].map((name) => ({ name })),
  ).print(
    rows.map(({ user, kind, groups, expires, state, id }) => [
      user,
      kind,
      groups.length === 0 ? '<none>' : groups.join(','),
      new Date(expires).toISOString(),
      state,
      id,
    ]),
  );
}

function stateOf({ revoked, expires }: Credential, now: number): 'valid' | 'revoked' | 'expired' {
  if (revoked) return 'revoked';
  return expires <= now ? 'expired' : 'valid';
}
