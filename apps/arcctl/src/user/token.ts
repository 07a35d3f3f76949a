import { issueToken } from '@arc/apiserver';
import { connect } from '../cluster/connection.ts';
import type { Invocation } from '../command.ts';
import { recordCredential } from './credentials.ts';
import { groupsFrom, timeToLive } from './subject-options.ts';

/** `arcctl user token`: the one time a token is shown; the server keeps its hash. */
export async function issueUserToken(invocation: Invocation): Promise<void> {
  const { args, clock, signal, streams } = invocation;
  const [user = ''] = args;
  const { token, secret } = issueToken({ user, groups: groupsFrom(invocation), expires: clock.now() + timeToLive(invocation) });
  await using connection = await connect(invocation);
  await recordCredential(connection.client, secret, signal);
  streams.stdout.write(`${token}\n`);
}
