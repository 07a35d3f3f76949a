/** How one field of a manifest is treated. A field in no table is refused as unknown. */
export type Support =
  | { readonly tier: 'supported' }
  | { readonly tier: 'ignored'; readonly effect: string }
  | { readonly tier: 'refused'; readonly reason: string };

export type SupportTable = Readonly<Record<string, Support>>;

const supported: Support = { tier: 'supported' };
const ignored = (effect: string): Support => ({ tier: 'ignored', effect });
const refused = (reason: string): Support => ({ tier: 'refused', reason });

const all = (names: readonly string[], support: Support): SupportTable => Object.fromEntries(names.map((name) => [name, support]));

/** Joins tables; a field in two of them is a mistake that shows when the module is loaded. */
function table(...parts: readonly SupportTable[]): SupportTable {
  const joined: Record<string, Support> = {};
  for (const [name, support] of parts.flatMap((part) => Object.entries(part))) {
    if (Object.hasOwn(joined, name)) throw new Error(`${name} is in two tiers`);
    joined[name] = support;
  }
  return joined;
}

const scheduling = ignored('steps run on this host, nothing is scheduled');
const podOnly = ignored('a step is a process, not a pod');
const identity = ignored('steps run as the user of the engine');
const notYet = refused('the embedded engine does not support it');

/** Fields of `Workflow.spec` and of the templates' `spec`. */
export const specSupport: SupportTable = table(
  all(
    [
      'entrypoint',
      'arguments',
      'templates',
      'workflowTemplateRef',
      'volumes',
      'volumeClaimTemplates',
      'retryStrategy',
      'activeDeadlineSeconds',
      'shutdown',
      'suspend',
      'priority',
      'workflowMetadata',
      'podMetadata',
    ],
    supported,
  ),
  all(
    ['affinity', 'nodeSelector', 'tolerations', 'schedulerName', 'podPriorityClassName', 'podDisruptionBudget', 'podSchedulingGates'],
    scheduling,
  ),
  all(['serviceAccountName', 'automountServiceAccountToken', 'imagePullSecrets', 'securityContext'], identity),
  all(['podSpecPatch', 'podResources', 'executor', 'dnsConfig', 'dnsPolicy', 'hostAliases'], podOnly),
  { podGC: ignored('the Pod objects stay until the Workflow is deleted') },
  { ttlStrategy: ignored('finished Workflows stay until somebody deletes them') },
  { volumeClaimGC: ignored('claims are removed on success, otherwise with the Workflow') },
  { metrics: ignored('no metrics are emitted') },
  { archiveLogs: ignored('logs of every attempt are kept anyway') },
  { artifactGC: ignored('there are no artifacts') },
  { hostNetwork: refused('steps share the network of the host anyway; a template that asks for it expects a node of a cluster') },
  all(
    ['onExit', 'hooks', 'parallelism', 'synchronization', 'templateDefaults', 'artifactRepositoryRef', 'resourceClaims', 'executorPlugins'],
    notYet,
  ),
);

/** Fields of `CronWorkflow.spec`. */
export const cronSupport: SupportTable = all(
  [
    'workflowSpec',
    'schedules',
    'schedule',
    'timezone',
    'concurrencyPolicy',
    'suspend',
    'startingDeadlineSeconds',
    'successfulJobsHistoryLimit',
    'failedJobsHistoryLimit',
    'workflowMetadata',
    'stopStrategy',
    'when',
  ],
  supported,
);

/** Fields of one entry of `templates`. */
export const templateSupport: SupportTable = table(
  all(
    [
      'name',
      'inputs',
      'outputs',
      'steps',
      'script',
      'container',
      'suspend',
      'retryStrategy',
      'activeDeadlineSeconds',
      'timeout',
      'volumes',
      'metadata',
      'annotations',
    ],
    supported,
  ),
  all(['affinity', 'nodeSelector', 'tolerations', 'schedulerName', 'priority', 'priorityClassName'], scheduling),
  all(['serviceAccountName', 'automountServiceAccountToken', 'securityContext'], identity),
  all(['podSpecPatch', 'executor', 'hostAliases', 'archiveLocation'], podOnly),
  { metrics: ignored('no metrics are emitted') },
  all(
    [
      'dag',
      'containerSet',
      'data',
      'http',
      'plugin',
      'resource',
      'resourceClaims',
      'initContainers',
      'sidecars',
      'daemon',
      'memoize',
      'synchronization',
      'parallelism',
      'failFast',
      'hooks',
      'onExit',
      'pendingTimeout',
    ],
    notYet,
  ),
);

/** Fields of one entry of `steps`. */
export const stepSupport: SupportTable = table(
  all(['name', 'template', 'arguments', 'when', 'continueOn'], supported),
  all(['templateRef', 'inline', 'withItems', 'withParam', 'withSequence', 'onExit', 'hooks'], notYet),
);

/** Fields of `container` and, with `source`, of `script`. */
export const containerSupport: SupportTable = table(
  all(['name', 'image', 'command', 'args', 'source', 'workingDir', 'env', 'envFrom', 'volumeMounts'], supported),
  { resources: ignored('a process is not limited') },
  { imagePullPolicy: ignored('no image is pulled') },
  all(
    ['ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'terminationMessagePath', 'terminationMessagePolicy', 'tty', 'stdin'],
    podOnly,
  ),
  { securityContext: identity },
  { lifecycle: notYet },
  { volumeDevices: refused('a process has no block devices of its own') },
);

/** Fields of one entry of `volumes` beside its name. */
export const volumeSupport: SupportTable = table(
  all(['name', 'secret', 'configMap', 'emptyDir', 'projected'], supported),
  { hostPath: refused('a step must not reach into the host') },
  { persistentVolumeClaim: refused('only claims declared in volumeClaimTemplates exist here') },
);

/** Fields of one entry of a projected volume's `sources`. */
export const projectedSupport: SupportTable = table(
  all(['secret', 'configMap'], supported),
  { downwardAPI: refused('use fieldRef in env instead') },
  all(['serviceAccountToken', 'clusterTrustBundle', 'podCertificate'], refused('a process has no identity in a cluster')),
);

export const volumeMountSupport: SupportTable = table(all(['name', 'mountPath', 'subPath'], supported), { readOnly: supported });

export const envSupport: SupportTable = all(['name', 'value', 'valueFrom'], supported);

export const envSourceSupport: SupportTable = table(all(['secretKeyRef', 'configMapKeyRef', 'fieldRef'], supported), {
  resourceFieldRef: refused('a process has no resource limits to refer to'),
});

export const retrySupport: SupportTable = table(
  all(['limit', 'retryPolicy', 'backoff'], supported),
  { affinity: scheduling },
  { expression: refused('expressions are not supported by the embedded engine') },
);

/** Fields of one parameter of a template's outputs. */
export const outputParameterSupport: SupportTable = all(['name', 'valueFrom', 'globalName', 'description', 'value', 'default'], supported);

export const outputSourceSupport: SupportTable = table(
  all(['path', 'default', 'parameter', 'supplied'], supported),
  { expression: refused('expressions are not supported by the embedded engine') },
  { jsonPath: refused('it belongs to resource templates') },
  { jqFilter: refused('it belongs to resource templates') },
  { event: notYet },
  { configMapKeyRef: notYet },
);

/** Fields of `inputs`, `outputs` and `arguments`. */
export const argumentsSupport: SupportTable = table(
  { parameters: supported },
  { artifacts: refused('artifacts are not supported by the embedded engine; pass files by a volume claim') },
);

/** `fieldRef` paths a process can answer. */
export const fieldPaths =
  /^(?:metadata\.(?:name|namespace|uid|labels\['[^']+'\]|annotations\['[^']+'\])|spec\.(?:nodeName|serviceAccountName))$/;
