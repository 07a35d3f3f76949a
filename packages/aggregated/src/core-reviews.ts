import { subjectAccessReviews, tokenReviews } from '@arc/api/core';
import { apiVersionOf } from '@arc/apimachinery';
import type { KubeObject, ResourceType } from '@arc/apimachinery';
import type { CoreApi } from '@arc/apiserver';
import type { KubeClient } from '@arc/kube-client';

/** Asks reviews of a core API. */
export function coreReviews(client: Pick<KubeClient, 'create'>): CoreApi {
  const ask = async (type: ResourceType, spec: object, signal: AbortSignal): Promise<object> => {
    const review = { apiVersion: apiVersionOf(type), kind: type.kind, metadata: {}, spec };
    const { status = {} } = await client.create<KubeObject & { status?: object }>(type, review, { signal });
    return status;
  };
  return {
    reviewToken: (spec, signal) => ask(tokenReviews, spec, signal),
    reviewAccess: (spec, signal) => ask(subjectAccessReviews, spec, signal),
  };
}
