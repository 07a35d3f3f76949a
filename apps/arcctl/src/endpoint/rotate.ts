import { endpoints } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { UsageError } from '@arc/cli-kit';
import { ArcError } from '@arc/kernel';
import { connect } from '../cluster/connection.ts';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { qualifiedName } from '../output/print-objects.ts';
import { inBase64, passwordFrom } from './password.ts';

/**
 * `arcctl endpoint rotate NAME`: puts a new password, and user, into the Secret of an Endpoint. A Secret with `token` gets a new token.
 *
 * @throws UsageError; ApiStatusError; ArcError `NoCredentials`
 */
export async function rotateCredentials(invocation: Invocation): Promise<void> {
  const { signal, streams } = invocation;
  const [name = ''] = invocation.args;
  const password = await passwordFrom(invocation);
  if (password === undefined)
    throw new UsageError('the new password is read from standard input', { hint: 'Say --password-stdin < FILE.' });
  const username = textOption(invocation, 'username');
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const endpoint = await client.get<Endpoint>(endpoints, { namespace, name }, { signal });
  const secretName = endpoint.spec?.secretRef?.name ?? '';
  if (secretName === '') {
    throw new ArcError('NoCredentials', `endpoint ${namespace}/${name} names no Secret`, {
      hint: 'Create one with username and password, and name it in spec.secretRef.',
    });
  }
  const ref = { namespace, name: secretName };
  const secret = await client.get<Secret>(secrets, ref, { signal });
  const key = keyOf(secret);
  const data = { [key]: inBase64(password), ...(username !== undefined && { username: inBase64(username) }) };
  // Not over a Secret that somebody has changed since it was looked at.
  const metadata = { resourceVersion: secret.metadata.resourceVersion };
  const changed = await client.patch<Secret>(secrets, ref, { metadata, data }, { fieldManager: 'arcctl', signal });
  streams.stdout.write(
    `${qualifiedName(secrets, changed)} has a new ${key}; Orders that use it run again, and send only what is not at the destination\n`,
  );
}

function keyOf({ data = {}, metadata }: Secret): 'password' | 'token' {
  if (Object.hasOwn(data, 'password')) return 'password';
  if (Object.hasOwn(data, 'token')) return 'token';
  throw new ArcError('NoCredentials', `secret ${metadata.namespace}/${metadata.name} holds neither password nor token`, {
    hint: 'Change it with kubectl.',
  });
}
