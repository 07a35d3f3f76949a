import { referenceName } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import type { Secret } from '@arc/api/core';
import type { EndpointProbeTarget } from './probe.ts';

/** The Secrets of an Endpoint, by what they are for. */
export interface EndpointSecrets {
  readonly credentials: Secret | undefined;
  /** That of `spec.tls`. */
  readonly tls: Secret | undefined;
}

/** What to probe an Endpoint with: keys of its Secrets as the worker reads them (docs/guide/orders.md), the unsupported ones left out. */
export function probeTarget({ spec = {} }: Endpoint, secrets: EndpointSecrets): EndpointProbeTarget {
  const { remoteURL = '', type = '' } = spec;
  const { credentials } = secrets;
  return {
    remoteURL,
    type,
    credentials: credentialsOf(spec, secrets),
    ...(credentials !== undefined && referenceName(spec.secretRef) !== undefined && { secretValue: (key) => valueOf(credentials, key) }),
    tls: tlsOf(spec, secrets),
  };
}

function credentialsOf(spec: NonNullable<Endpoint['spec']>, { credentials }: EndpointSecrets): EndpointProbeTarget['credentials'] {
  if (credentials === undefined || referenceName(spec.secretRef) === undefined) return 'none';
  const value = (key: string): string | undefined => oneLine(valueOf(credentials, key));
  const [username, password] = [value('username'), value('password') ?? value('token')];
  return username === undefined || password === undefined ? 'unsupported' : { username, password };
}

function tlsOf({ tls = {} }: NonNullable<Endpoint['spec']>, secrets: EndpointSecrets): NonNullable<EndpointProbeTarget['tls']> {
  const value = (key: string): string | undefined => valueOf(secrets.tls, key) ?? valueOf(secrets.credentials, key);
  const [fromSecret, cert, key] = ['ca.crt', 'tls.crt', 'tls.key'].map(value);
  const { ca: own = '', serverName = '' } = tls;
  const ca = [own, fromSecret ?? ''].filter((pem) => pem !== '').join('\n');
  return {
    ...(ca !== '' && { ca }),
    ...(cert !== undefined && key !== undefined && { cert, key }),
    ...(serverName !== '' && { serverName }),
  };
}

function valueOf(secret: Secret | undefined, key: string): string | undefined {
  const data = secret?.data;
  const encoded = data !== undefined && Object.hasOwn(data, key) ? data[key] : undefined;
  return encoded === undefined || encoded === '' ? undefined : Buffer.from(encoded, 'base64').toString('utf8');
}

/** Editors and `echo` leave a newline at the end; it is never part of a credential. */
function oneLine(value: string | undefined): string | undefined {
  const trimmed = value?.replace(/\r?\n$/, '');
  return trimmed === '' ? undefined : trimmed;
}
