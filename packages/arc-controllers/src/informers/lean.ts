import type { AnyArtifactType, ArtifactWorkflow, Endpoint, Order } from '@arc/api/arc';
import { unsetNulls, isFinishedPhase } from '@arc/api/arc';
import type { CronWorkflow } from '@arc/api/argo';
import type { KubeObject } from '@arc/apimachinery';

/**
 * Drops what no controller reads and nulls, which in the API mean unset, also in the spec of an artifact: `kubectl apply` sends them
 * the first time and leaves them out the second. The object is changed in place.
 */
function lean<T extends KubeObject & { spec?: unknown }>(object: T): T {
  delete object.metadata.managedFields;
  unsetNulls(object.spec);
  return object;
}

export function leanOrder(order: Order): Order {
  unsetNulls(order.status);
  return lean(order);
}

export function leanEndpoint(endpoint: Endpoint): Endpoint {
  unsetNulls(endpoint.status);
  return lean(endpoint);
}

export function leanCronWorkflow(cron: CronWorkflow): CronWorkflow {
  unsetNulls(cron.status);
  return lean(cron);
}

export function leanNamespace(namespace: KubeObject): KubeObject {
  return lean(namespace);
}

export function leanArtifactType(type: AnyArtifactType): AnyArtifactType {
  return lean(type);
}

/** A run whose Workflow has ended is only ever asked for its outcome. */
export function leanArtifactWorkflow(run: ArtifactWorkflow): ArtifactWorkflow {
  unsetNulls(run.status);
  if (run.status?.activeWorkflowRef !== undefined && isFinishedPhase(run.status.phase)) {
    delete run.status.receipt;
    delete run.status.logTail;
    delete run.status.steps;
    delete run.spec?.parameters;
  }
  return lean(run);
}
