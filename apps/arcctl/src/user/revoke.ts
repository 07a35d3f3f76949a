import { secrets } from '@arc/api/core';
import { credentialNamespace, revocationPatch } from '@arc/apiserver';
import { ArcError } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { connect } from '../cluster/connection.ts';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { type Credential, listCredentials } from './credentials.ts';

/**
 * `arcctl user revoke`: ends the tokens and certificates of a user, or one of them. Bindings stay: they give rights to a
 * name, not to a credential.
 *
 * @throws ArcError `NotFound`
 */
export async function revokeUser(invocation: Invocation): Promise<void> {
  const { args, clock, signal, streams } = invocation;
  const [user = ''] = args;
  const id = textOption(invocation, 'id');
  await using connection = await connect(invocation);
  const all = await listCredentials(connection.client, signal);
  const meant = all.filter((credential) => credential.user === user && (id === undefined || credential.id === id));
  if (meant.length === 0) {
    throw new ArcError('NotFound', id === undefined ? `user ${user} has no credentials` : `user ${user} has no credential ${id}`, {
      hint: 'arcctl user list shows what there is.',
    });
  }
  for (const credential of meant) {
    await end(connection.client, credential, clock.now(), signal);
    streams.stdout.write(`${credential.kind} ${credential.id} of user ${user} revoked\n`);
  }
}

/** A certificate stays recorded until it expires: the record is what keeps it out. */
async function end(client: KubeClient, { kind, id, expires }: Credential, now: number, signal: AbortSignal): Promise<void> {
  const ref = { namespace: credentialNamespace, name: id };
  if (kind === 'token' || expires <= now) await client.delete(secrets, ref, { signal });
  else await client.patch(secrets, ref, revocationPatch(), { signal });
}
