import { readFileSync } from 'node:fs';
import { sharedOptions } from '@arc/composition/program';
import type { ProgramDefinition } from '@arc/composition/program';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { readonly version: string };

const switched = ['true', 'false'];

/** `arc-controller-manager`. Flags that upstream has too are named as upstream names them. */
export const program: ProgramDefinition = {
  name: 'arc-controller-manager',
  summary: "Run ARC's controllers against the API server of a cluster, in which ARC's API and Argo Workflows are installed",
  version,
  options: [
    {
      flags: '--kubeconfig <file>',
      description: 'how to reach the API server; default: as the service account of the pod, then $KUBECONFIG',
    },
    { flags: '--context <name>', description: 'context of the kubeconfig to use' },
    {
      flags: '--namespace <name>',
      description: 'where the Lease and the key of the digests of Secrets are kept; default: the namespace of the pod, or arc-system',
    },
    {
      flags: '--leader-elect [mode]',
      description: 'whether of several replicas only the one that holds the Lease works',
      choices: switched,
      defaultValue: 'true',
    },
    { flags: '--leader-election-id <name>', description: 'name of the Lease', defaultValue: 'arc.opendefense.cloud' },
    {
      flags: '--health-probe-bind-address <address>',
      description: 'serves /healthz, /readyz and /livez over HTTP; 0: nowhere',
      defaultValue: ':8081',
    },
    { flags: '--metrics-bind-address <address>', description: 'serves /metrics; 0: nowhere', defaultValue: ':8443' },
    { flags: '--metrics-secure [mode]', description: 'whether metrics are served over TLS', choices: switched, defaultValue: 'true' },
    {
      flags: '--metrics-cert-path <folder>',
      description: 'folder with the certificate of metrics, which is followed; default: one is made',
    },
    { flags: '--metrics-cert-name <file>', description: 'the certificate in it', defaultValue: 'tls.crt' },
    { flags: '--metrics-cert-key <file>', description: 'its key', defaultValue: 'tls.key' },
    {
      flags: '--metrics-access <mode>',
      description:
        'who may read metrics: review asks the API server about the token of the request, open lets everybody; default: review over TLS, else open',
      choices: ['review', 'open'],
    },
    {
      flags: '--max-active-workflows <number>',
      description: 'Workflows under way at the same time, over all namespaces',
      defaultValue: '100',
    },
    {
      flags: '--max-active-per-namespace <number>',
      description: 'the same for each namespace whose annotations say nothing; default: no limit',
    },
    {
      flags: '--max-active-per-endpoint <number>',
      description: 'runs that use one Endpoint at the same time, when it says nothing; default: no limit',
    },
    {
      flags: '--argo-instance-id <id>',
      description: 'of the workflow-controller that is to run the Workflows; default: the one that has none',
    },
    {
      flags: '--workflow-service-account <name>',
      description: 'ServiceAccount of their pods where the namespace names none; default: what the template says',
    },
    {
      flags: '--workflow-volumes <from>',
      description: 'who brings the volumes with credentials; template: for an Argo with templateReferencing Strict or Secure',
      choices: ['workflow', 'template'],
      defaultValue: 'workflow',
    },
    {
      flags: '--vanished-workflows <policy>',
      description: 'what becomes of a run whose Workflow is deleted before it has ended',
      choices: ['recreate', 'fail'],
      defaultValue: 'recreate',
    },
    {
      flags: '--kueue <mode>',
      description: 'what waits for quota where Orders or namespaces name a LocalQueue: pods, by labels, or whole runs, by workloads',
      choices: ['pods', 'workloads'],
      defaultValue: 'pods',
    },
    ...sharedOptions.probes('this machine, its neighbours, and the addresses of metadata services'),
    sharedOptions.logLevel('info'),
  ],
  examples: [
    'arc-controller-manager --kubeconfig ~/.kube/config',
    'arc-controller-manager --metrics-bind-address 0 --endpoint-probe-ttl 1h --max-active-workflows 500',
  ],
  load: async () => (await import('./run.ts')).runControllerManager,
};
