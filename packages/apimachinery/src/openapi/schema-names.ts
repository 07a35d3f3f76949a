const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** `cloud.opendefense.arc.v1alpha1.Order`: unique over all servers of a cluster, since aggregation merges documents (wire contract 1.3). */
export function schemaName({ group, version, kind }: { readonly group: string; readonly version: string; readonly kind: string }): string {
  if (group === '') return `io.k8s.api.core.${version}.${kind}`;
  if (group.endsWith('.k8s.io')) return `io.k8s.api.${group.slice(0, group.indexOf('.'))}.${version}.${kind}`;
  // Names of Kubernetes' own groups from before groups had to be domains: autoscaling, apps.
  if (!group.includes('.')) return `io.k8s.api.${group}.${version}.${kind}`;
  return `${group.split('.').reverse().join('.')}.${version}.${kind}`;
}

export function metaSchemaName(kind: string): string {
  return `${metaPackage}.${kind}`;
}

export function schemaRef(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}
