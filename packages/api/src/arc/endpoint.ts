import { fieldError, s } from '@arc/apimachinery';
import type { FieldError, KindDefinition, KubeObject, ResourceType, Static } from '@arc/apimachinery';
import { contact, contactErrors, contactText } from './endpoint-contact.ts';
import { endpointTls, endpointTlsErrors, hasTls } from './endpoint-tls.ts';
import { unsetNulls, firstLine, newErrors, referenceName } from './field-rules.ts';
import { arcCategory, arcGroup, arcVersion, resourceOf } from './group.ts';
import { conditions, localReference, optional } from './shared-schemas.ts';

const endpointSpec = s.object(
  {
    type: optional(s.string({ description: 'What is spoken there: oci, helm, s3, http, ...' })),
    remoteURL: optional(s.string({ description: 'Where it is; without a scheme https is meant.' })),
    secretRef: optional({ ...localReference, description: 'The Secret with the credentials.' }),
    tls: optional(endpointTls),
    concurrency: optional(s.integer({ description: 'How many runs may use it at the same time; unset: any number.' })),
    maxBytesPerSecond: optional(
      s.integer({ description: 'Most bytes a second that one run moves from or to it; unset: as many as there can be.' }),
    ),
    usage: optional(s.string({ description: 'PullOnly, PushOnly or All; unset means All.', default: 'All' })),
    contacts: optional(s.array(contact, { description: 'Whom to ask about it; decides nothing about transfers.' })),
    validUntil: optional(s.time({ description: 'From when on it says that it is not ready; Orders may use it all the same.' })),
  },
  { description: 'Where artifacts come from or go to.' },
);
export type EndpointSpec = Static<typeof endpointSpec>;

const endpointStatus = s.object(
  {
    conditions: optional(conditions),
    observedGeneration: optional(s.integer({ description: 'The generation the conditions were computed for.' })),
    lastProbeTime: optional(s.time({ description: 'When it was probed last.' })),
    probedGeneration: optional(s.integer({ description: 'The generation that was probed last.' })),
    probedSecretVersion: optional(
      s.string({ description: 'resourceVersion of the Secret the last probe used; of two, separated by a comma.' }),
    ),
    probedForceAt: optional(s.time({ description: 'The force-at annotation that was carried out last.' })),
  },
  { description: 'What is known about the remote side.' },
);
export type EndpointStatus = Static<typeof endpointStatus>;

/** A place artifacts are pulled from or pushed to. */
export interface Endpoint extends KubeObject {
  spec?: EndpointSpec;
  status?: EndpointStatus;
}

const endpointUsages = ['PullOnly', 'PushOnly', 'All'] as const;

/** True when artifacts may be pulled from the Endpoint. Unset means All. */
export function mayPull(spec: EndpointSpec | undefined): boolean {
  return usageOf(spec) === 'All' || usageOf(spec) === 'PullOnly';
}

/** True when artifacts may be pushed to the Endpoint. Unset means All. */
export function mayPush(spec: EndpointSpec | undefined): boolean {
  return usageOf(spec) === 'All' || usageOf(spec) === 'PushOnly';
}

function usageOf(spec: EndpointSpec | undefined): string {
  const usage = spec?.usage ?? '';
  // An older server may have stored null.
  return usage === '' ? 'All' : usage;
}

/** The Secrets an Endpoint names, each once: its credentials, its client certificate. */
export function secretNames({ spec }: Endpoint): string[] {
  const names = [spec?.secretRef, spec?.tls?.secretRef].map(referenceName).filter((name) => name !== undefined);
  return [...new Set(names)];
}

/** Reads a remote URL the way ARC means it: a text without a scheme is a host with an optional path, spoken to over https. */
export function parseRemoteURL(text: string): URL | undefined {
  if (text === '' || /[\s\u0000-\u001f\u007f]/.test(text)) return undefined;
  const absolute = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `https://${text}`;
  return URL.parse(absolute) ?? undefined;
}

function errorsOf(endpoint: Endpoint): FieldError[] {
  const { remoteURL = '', usage = '', concurrency = 1, maxBytesPerSecond = 1, tls, contacts = [] } = endpoint.spec ?? {};
  const errors: FieldError[] = [];
  if (remoteURL === '') errors.push(fieldError.required('spec.remoteURL'));
  else if (parseRemoteURL(remoteURL) === undefined) {
    errors.push(fieldError.invalid('spec.remoteURL', withoutUserInfo(remoteURL), 'must be a URL or a host with an optional path'));
  }
  if (usage !== '' && !endpointUsages.some((known) => known === usage)) {
    errors.push(fieldError.notSupported('spec.usage', usage, endpointUsages));
  }
  for (const [field, value] of Object.entries({ concurrency, maxBytesPerSecond })) {
    if (value < 1) errors.push(fieldError.invalid(`spec.${field}`, value, 'must be greater than or equal to 1'));
  }
  if (tls !== undefined) errors.push(...endpointTlsErrors(tls, 'spec.tls'));
  for (const [index, each] of contacts.entries()) errors.push(...contactErrors(each, `spec.contacts[${index}]`));
  return errors;
}

function withoutUserInfo(text: string): string {
  return text.replace(/^([a-z][a-z0-9+.-]*:\/\/)?[^/@]*@/i, '$1');
}

function warningsOf(endpoint: Endpoint): string[] {
  const url = parseRemoteURL(endpoint.spec?.remoteURL ?? '');
  const warnings: string[] = [];
  if (url === undefined) return warnings;
  if (url.protocol === 'http:' && referenceName(endpoint.spec?.secretRef) !== undefined) {
    warnings.push('spec.remoteURL is plain http: the credentials of spec.secretRef travel unencrypted');
  }
  if (url.protocol === 'http:' && hasTls(endpoint.spec)) warnings.push('spec.tls has no effect: spec.remoteURL is plain http');
  if (url.username !== '' || url.password !== '') {
    warnings.push('spec.remoteURL contains credentials that everybody who may read the Endpoint sees; use spec.secretRef');
  }
  return warnings;
}

export const endpointDefinition: KindDefinition<Endpoint> = {
  group: arcGroup,
  version: arcVersion,
  kind: 'Endpoint',
  names: { plural: 'endpoints', singular: 'endpoint', shortNames: ['arcep'], categories: [arcCategory] },
  scope: 'Namespaced',
  description: 'Endpoint is a place artifacts are pulled from or pushed to, with its credentials.',
  schema: s.object({ spec: optional(endpointSpec), status: optional(endpointStatus) }),
  subresources: { status: true },
  selectableFields: ['spec.type', 'spec.usage', 'spec.remoteURL', 'spec.secretRef.name', 'spec.tls.secretRef.name'],
  strategy: {
    prepareForCreate: (endpoint) => unsetNulls(endpoint.spec),
    prepareForUpdate: (endpoint) => unsetNulls(endpoint.spec),
    validate: (endpoint, old) => newErrors(errorsOf, endpoint, old),
    warnings: warningsOf,
  },
  columns: [
    { name: 'Type', type: 'string', description: 'What is spoken there.', value: ({ spec }) => spec?.type },
    { name: 'Remote URL', type: 'string', description: 'Where it is.', value: ({ spec }) => withoutUserInfo(spec?.remoteURL ?? '') },
    { name: 'Usage', type: 'string', description: 'What it may be used for.', value: ({ spec }) => usageOf(spec) },
    {
      name: 'Secret',
      type: 'string',
      description: 'Name of the Secret.',
      priority: 1,
      value: ({ spec }) => referenceName(spec?.secretRef),
    },
    { name: 'Ready', type: 'string', description: 'Whether it can be used.', value: (endpoint) => ready(endpoint)?.status ?? 'Unknown' },
    {
      name: 'Message',
      type: 'string',
      description: 'What is known about readiness.',
      priority: 1,
      value: (endpoint) => firstLine(ready(endpoint)?.message),
    },
    {
      name: 'Contacts',
      type: 'string',
      description: 'Whom to ask about it.',
      priority: 1,
      value: ({ spec }) => firstLine((spec?.contacts ?? []).map(contactText).join(', ')),
    },
    { name: 'Age', type: 'date', description: 'Time since creation.', value: ({ metadata }) => metadata.creationTimestamp ?? undefined },
  ],
};

function ready(endpoint: Endpoint): NonNullable<EndpointStatus['conditions']>[number] | undefined {
  return endpoint.status?.conditions?.find(({ type }) => type === 'Ready');
}

export const endpoints: ResourceType = resourceOf(endpointDefinition);
