import type { JsonObject } from '../json/object.ts';
import type { KubeObject, UnstructuredObject } from '../meta/types.ts';
import { scaleKind } from './scale-kind.ts';
import type { Scale } from './scale-kind.ts';
import type { ScalePaths } from './scale-paths.ts';
import { setValueAt, valueAt } from './scale-paths.ts';

/** What `/scale` shows of an object (wire contract 2.8). `spec.replicas` is missing when the object has none. */
export function scaleOf(object: KubeObject, { specReplicasPath, statusReplicasPath, labelSelectorPath }: ScalePaths): Scale {
  const fields = object as KubeObject & JsonObject;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const wanted = numberAt(fields, specReplicasPath);
  const selector = labelSelectorPath === undefined ? undefined : valueAt(fields, labelSelectorPath);
  return {
    apiVersion: `${scaleKind.group}/${scaleKind.version}`,
    kind: scaleKind.kind,
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
    spec: wanted === undefined ? {} : { replicas: wanted },
    status: { replicas: numberAt(fields, statusReplicasPath) ?? 0, ...(typeof selector === 'string' && { selector }) },
  };
}

/** Takes over into an object what a client wants of its scale, with what the client says it knows of the object. Changes it in place. */
export function rescale(object: UnstructuredObject, { specReplicasPath }: ScalePaths, scale: Scale): void {
  setValueAt(object, specReplicasPath, scale.spec?.replicas);
  const { uid, resourceVersion } = scale.metadata;
  if (uid !== undefined) object.metadata.uid = uid;
  if (resourceVersion !== undefined) object.metadata.resourceVersion = resourceVersion;
}

function numberAt(object: JsonObject, path: string): number | undefined {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : undefined;
}
