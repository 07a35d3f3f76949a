export const rbacGroup = 'rbac.authorization.k8s.io';
export const rbacVersion = 'v1';
export const rbacApiVersion = `${rbacGroup}/${rbacVersion}`;

/** ClusterRoles with the label `<prefix><name>: "true"` become part of the aggregated role of that name. */
export const aggregationLabelPrefix = `${rbacGroup}/aggregate-to-`;
/** With the value "false" a default role or binding is left as it is at the next start. */
export const autoupdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';
