import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, Static } from '@arc/apimachinery';
import { referenceName } from './field-rules.ts';
import { localReference, optional } from './shared-schemas.ts';

export const endpointTls = s.object(
  {
    ca: optional(s.string({ description: 'PEM certificates of authorities to trust besides those of the system.' })),
    secretRef: optional({
      ...localReference,
      description:
        'A Secret with the client certificate, tls.crt and tls.key, and perhaps ca.crt; wins over the same keys of spec.secretRef.',
    }),
    serverName: optional(s.string({ description: 'The name its certificate has to have; unset: the host of remoteURL.' })),
  },
  { description: 'How connections to it are secured.' },
);
export type EndpointTls = Static<typeof endpointTls>;

/** What fits into one environment variable of a step, with room to spare. */
const maxAuthorities = 64 * 1024;

const serverNamePattern = /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/i;

/** Checks what can be told without reading certificates: those that are wrong are found by the probe. */
export function endpointTlsErrors({ ca = '', serverName = '' }: EndpointTls, path: string): FieldError[] {
  const errors: FieldError[] = [];
  // The text is not repeated: it is long, and might be a key.
  if (ca.length > maxAuthorities) errors.push(fieldError.invalid(`${path}.ca`, '...', `must have at most ${maxAuthorities} bytes`));
  else if (ca.includes('PRIVATE KEY')) {
    errors.push(fieldError.invalid(`${path}.ca`, '...', 'must not hold a private key, which everybody could read; put it into a Secret'));
  } else if (ca !== '' && !/-----BEGIN CERTIFICATE-----\s[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/.test(ca)) {
    errors.push(fieldError.invalid(`${path}.ca`, '...', 'must be certificates in PEM'));
  }
  if (serverName !== '' && (!serverNamePattern.test(serverName) || /^[\d.]+$/.test(serverName))) {
    errors.push(fieldError.invalid(`${path}.serverName`, serverName, 'must be a DNS name such as registry.example.org'));
  }
  return errors;
}

/** True when the settings say anything. */
export function hasTls(spec: { readonly tls?: EndpointTls } | undefined): boolean {
  const { ca = '', secretRef, serverName = '' } = spec?.tls ?? {};
  return ca !== '' || serverName !== '' || referenceName(secretRef) !== undefined;
}
