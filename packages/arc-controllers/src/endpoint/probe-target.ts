import type { Endpoint } from '@arc/api/arc';
import type { Secret } from '@arc/api/core';
import type { EndpointProbeTarget } from './probe.ts';

/** What to probe an Endpoint with: keys of its Secret as the worker reads them (docs/guide/orders.md), the unsupported ones left out. */
export function probeTarget({ spec = {} }: Endpoint, secret: Secret | undefined): EndpointProbeTarget {
  const { remoteURL = '', type = '' } = spec;
  if (secret === undefined) return { remoteURL, type, credentials: 'none' };
  const value = (key: string): string | undefined => valueOf(secret, key);
  const [username, password] = [oneLine(value('username')), oneLine(value('password')) ?? oneLine(value('token'))];
  const [ca, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map(value);
  return {
    remoteURL,
    type,
    credentials: username === undefined || password === undefined ? 'unsupported' : { username, password },
    tls: { ...(ca !== undefined && { ca }), ...(cert !== undefined && key !== undefined && { cert, key }) },
  };
}

function valueOf({ data }: Secret, key: string): string | undefined {
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined || encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Editors and `echo` leave a newline at the end; it is never part of a credential. */
function oneLine(value: string | undefined): string | undefined {
  const trimmed = value?.replace(/\r?\n$/, '');
  return trimmed === '' ? undefined : trimmed;
}
