import { kueueGroup } from '../kueue/workload.ts';
import type { PolicyRule } from './policy-rule.ts';

const arcGroup = 'arc.opendefense.cloud';
const argoGroup = 'argoproj.io';
/** The Secret with the serving certificate of the API server, where that makes its own. */
const servingSecretName = 'arc-apiserver-serving';
const read = ['get', 'list', 'watch'];
const write = ['create', 'delete', 'deletecollection', 'patch', 'update'];

function rule(apiGroup: string, resources: readonly string[], verbs: readonly string[]): PolicyRule {
  return { apiGroups: [apiGroup], resources: [...resources], verbs: [...verbs] };
}

/** What ARC's controllers do in all namespaces, and nothing else: a test runs them with exactly this and misses none of it. */
export const controllerRules: readonly PolicyRule[] = [
  rule(arcGroup, ['orders'], ['list', 'watch', 'patch', 'delete']),
  rule(arcGroup, ['artifactworkflows'], [...read, 'create', 'patch', 'delete']),
  rule(arcGroup, ['orders/status', 'artifactworkflows/status', 'endpoints/status'], ['patch']),
  rule(arcGroup, ['artifacttypes', 'clusterartifacttypes', 'endpoints'], ['list', 'watch']),
  rule(argoGroup, ['workflows', 'cronworkflows'], [...read, 'create', 'patch', 'delete']),
  // Whether one supports dry runs, and what its steps request.
  rule(argoGroup, ['workflowtemplates', 'clusterworkflowtemplates'], ['get']),
  rule('', ['namespaces'], ['list', 'watch']),
  // Those of users are only read; those written are the rendered configurations of runs.
  rule('', ['secrets'], [...read, 'create', 'update', 'delete']),
  rule('', ['pods/log'], ['get']),
  rule('events.k8s.io', ['events'], ['create', 'patch']),
];

/**
 * What a cluster asks for beyond that where it has the admission plugin OwnerReferencesPermissionEnforcement, as OpenShift does:
 * what ARC makes blocks the deletion of what it is made for.
 */
export const ownerReferenceRules: readonly PolicyRule[] = [
  rule(arcGroup, ['orders/finalizers', 'artifactworkflows/finalizers'], ['update']),
  rule(argoGroup, ['cronworkflows/finalizers'], ['update']),
];

/** What ARC's controllers do beyond that where runs wait for the quota of Kueue. */
export const kueueRules: readonly PolicyRule[] = [
  rule(kueueGroup, ['workloads'], [...read, 'create', 'patch', 'delete']),
  rule(kueueGroup, ['workloads/status'], ['patch']),
  rule(kueueGroup, ['workloadpriorityclasses'], ['get']),
];

/** What controllers of which one leads do in the namespace of the Lease; the digest key is there, too. */
export const leaderElectionRules: readonly PolicyRule[] = [rule('coordination.k8s.io', ['leases'], ['get', 'create', 'update'])];

/** What the embedded engine does in place of Argo's controller. */
export const engineRules: readonly PolicyRule[] = [
  rule(argoGroup, ['workflows', 'cronworkflows'], ['update']),
  rule('', ['configmaps'], ['get']),
  rule('', ['pods'], [...read, 'create']),
  rule('', ['pods/status'], ['patch']),
];

/** What the API server behind an aggregation layer does, beside what `system:auth-delegator` lets it ask. */
export const aggregatedServerRules: readonly PolicyRule[] = [rule('', ['namespaces'], read)];

/** What that server does to keep its serving certificate: in its own namespace, and with the APIService that leads to it. */
export const servingCertificateRules = {
  namespaced: [rule('', ['secrets'], ['create']), { ...rule('', ['secrets'], ['get', 'update']), resourceNames: [servingSecretName] }],
  cluster: [{ ...rule('apiregistration.k8s.io', ['apiservices'], ['get', 'patch']), resourceNames: [`v1alpha1.${arcGroup}`] }],
} satisfies Readonly<Record<string, readonly PolicyRule[]>>;

/** The same where ResourceQuotas are enforced. */
export const quotaRules: readonly PolicyRule[] = [rule('', ['resourcequotas'], read), rule('', ['resourcequotas/status'], ['update'])];

/** What the pods of a Workflow do in their namespace: Argo's executor reports by it. */
export const workflowRules: readonly PolicyRule[] = [rule(argoGroup, ['workflowtaskresults'], ['create', 'patch'])];

const arcKinds = ['artifacttypes', 'artifactworkflows', 'endpoints', 'orders'];

/** For users, as parts of the roles `edit` and `view` of a namespace. */
export const userRules: Readonly<Record<'edit' | 'view' | 'workflowAuthor' | 'catalogViewer', readonly PolicyRule[]>> = {
  edit: [rule(arcGroup, arcKinds, write)],
  view: [
    rule(arcGroup, [...arcKinds, ...arcKinds.map((plural) => `${plural}/status`)], read),
    rule(argoGroup, ['cronworkflows', 'workflows', 'workflowtemplates'], read),
  ],
  workflowAuthor: [rule(argoGroup, ['cronworkflows', 'workflows', 'workflowtemplates'], [...read, ...write])],
  catalogViewer: [rule(arcGroup, ['clusterartifacttypes'], read)],
};
