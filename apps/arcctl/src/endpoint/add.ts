import { arcApiVersion, endpoints } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import { secrets } from '@arc/api/core';
import type { Secret } from '@arc/api/core';
import { UsageError } from '@arc/cli-kit';
import { connect } from '../cluster/connection.ts';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { qualifiedName } from '../output/print-objects.ts';
import { inBase64, passwordFrom } from './password.ts';
import { settingsFrom } from './settings.ts';

/**
 * `arcctl endpoint add NAME`: creates an Endpoint, and with `--username` a Secret `NAME-credentials` for it. Nothing is created when the
 * server would refuse the Endpoint.
 *
 * @throws UsageError; ApiStatusError
 */
export async function addEndpoint(invocation: Invocation): Promise<void> {
  const { signal, streams } = invocation;
  const [name = ''] = invocation.args;
  const username = textOption(invocation, 'username');
  const secretName = textOption(invocation, 'secret');
  const settings = await settingsFrom(invocation);
  const password = await passwordFrom(invocation);
  if ((username === undefined) !== (password === undefined)) {
    throw new UsageError('--username and --password-stdin belong together', { hint: 'Give both, or --secret with the name of a Secret.' });
  }
  if (username !== undefined && secretName !== undefined) throw new UsageError('--secret and --username cannot be given together');
  await using connection = await connect(invocation);
  const { client, namespace } = connection;
  const secretRef = username === undefined ? secretName : `${name}-credentials`;
  const [usage, remoteURL, type] = ['usage', 'url', 'type'].map((option) => textOption(invocation, option));
  const endpoint: Endpoint = {
    apiVersion: arcApiVersion,
    kind: endpoints.kind,
    metadata: { name, namespace },
    spec: {
      ...(type !== undefined && { type }),
      ...(remoteURL !== undefined && { remoteURL }),
      ...(usage !== undefined && { usage }),
      ...(secretRef !== undefined && { secretRef: { name: secretRef } }),
      ...settings,
    },
  };
  const options = { fieldManager: 'arcctl', fieldValidation: 'Strict', signal } as const;
  if (username !== undefined && password !== undefined) {
    await client.create(endpoints, endpoint, { ...options, dryRun: true });
    const metadata = { name: `${name}-credentials`, namespace };
    const data = { username: inBase64(username), password: inBase64(password) };
    const secret = await client.create<Secret>(secrets, { apiVersion: 'v1', kind: 'Secret', metadata, data }, options);
    streams.stdout.write(`${qualifiedName(secrets, secret)} created\n`);
  }
  streams.stdout.write(`${qualifiedName(endpoints, await client.create(endpoints, endpoint, options))} created\n`);
}
