import type { AnyArtifactType } from '@arc/api/arc';
import { deepEqual } from '@arc/apimachinery';
import type { ControllerSource } from '@arc/controller';
import type { ArcInformers } from '../informers/arc-informers.ts';
import type { SecretRecord } from '../informers/secret-record.ts';
import { requestFor, secretChanged, source } from '../informers/source.ts';
import { isDeleting, keyOf } from '../metadata/references.ts';
import { mentions } from './validation.ts';

/** What the conditions of Endpoints depend on: themselves, their Secrets, and the types that accept them. */
export function endpointSources({ endpoints, secrets, artifactTypes, clusterArtifactTypes }: ArcInformers): ControllerSource[] {
  const accepted = (type: AnyArtifactType): ReturnType<typeof requestFor>[] =>
    endpoints
      .list(type.metadata.namespace)
      .filter(({ spec }) => mentions(type, spec?.type ?? ''))
      .map(requestFor);
  return [
    source({ informer: endpoints }),
    source<SecretRecord>({
      informer: secrets,
      requests: ({ metadata }) => endpoints.byIndex('secret', keyOf(metadata.namespace, metadata.name ?? '')).map(requestFor),
      changed: secretChanged,
    }),
    source<AnyArtifactType>({ informer: artifactTypes, requests: accepted, changed: rulesChanged }),
    source<AnyArtifactType>({ informer: clusterArtifactTypes, requests: accepted, changed: rulesChanged }),
  ];
}

function rulesChanged(type: AnyArtifactType, old: AnyArtifactType): boolean {
  return isDeleting(type) !== isDeleting(old) || !deepEqual(type.spec?.rules, old.spec?.rules);
}
