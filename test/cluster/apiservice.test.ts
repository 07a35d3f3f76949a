import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arcctlCommand, eventually, findKubectls, kubectlRunner, missingKubernetes, runCommand } from '@arc/testkit';
import { startCluster } from '../e2e/support/cluster.ts';

const kubectl = (await findKubectls()).at(-1);
const missing =
  kubectl === undefined ? 'no kubectl of 1.27 or newer on this machine' : missingKubernetes('kube-apiserver', 'kube-controller-manager');
const apiService = 'apiservice/v1alpha1.arc.opendefense.cloud';

test(
  '7 arcctl doctor says what to do for each reason of a real APIService; a namespace that hangs for it goes when the APIService goes',
  { skip: missing ?? false, timeout: 240_000 },
  async (t) => {
    assert.ok(kubectl !== undefined);
    const runner = (kubeconfig: string): ReturnType<typeof kubectlRunner> => kubectlRunner(kubectl, kubeconfig);
    await using cluster = await startCluster(async (kubeconfig, manifest) => {
      const applied = await runner(kubeconfig)(['apply', '-f', '-'], { input: manifest });
      assert.equal(applied.code, 0, applied.stderr);
    });
    const kubeconfig = await cluster.kube.kubeconfig('admin', ['system:masters']);
    const run = async (args: readonly string[], input?: object): Promise<string> => {
      const { code, stdout, stderr } = await runner(kubeconfig)(args, input === undefined ? {} : { input: JSON.stringify(input) });
      assert.equal(code, 0, `kubectl ${args.join(' ')}\n${stderr}`);
      return stdout;
    };
    const doctor = async (): Promise<string> => {
      const [program, ...leading] = arcctlCommand;
      return (await runCommand(program, [...leading, 'doctor', '--kubeconfig', kubeconfig])).stdout;
    };
    const condition = async (): Promise<string> =>
      await run(['get', apiService, '-o', 'jsonpath={.status.conditions[0].reason}: {.status.conditions[0].message}']);
    const assertRemedy = async (reason: RegExp, remedy: RegExp): Promise<void> => {
      await eventually(async () => reason.test(await condition()), {
        what: `${reason} instead of ${await condition()}`,
        timeoutMs: 60_000,
      });
      t.diagnostic(await condition());
      assert.match(await doctor(), remedy);
    };
    const service = async (patch: object): Promise<void> =>
      void (await run(['-n', 'arc-system', 'patch', 'service', 'arc-apiserver', '--type=merge', '-p', JSON.stringify(patch)]));
    // Which of the two is looked at depends on the version of the cluster.
    const unready: readonly object[] = [
      {
        ...{ apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', addressType: 'IPv4', ports: [{ name: 'https', port: 6443 }] },
        metadata: { namespace: 'arc-system', name: 'arc-apiserver-1', labels: { 'kubernetes.io/service-name': 'arc-apiserver' } },
        endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: false } }],
      },
      {
        ...{ apiVersion: 'v1', kind: 'Endpoints', metadata: { namespace: 'arc-system', name: 'arc-apiserver' } },
        subsets: [{ notReadyAddresses: [{ ip: '192.0.2.1' }], ports: [{ name: 'https', port: 6443 }] }],
      },
    ];
    const [replica] = cluster.replicas;
    cluster.startControllers();
    await run(['wait', '--for=condition=Available', apiService, '--timeout=60s']);
    const registered = JSON.parse(await run(['get', apiService, '-o', 'json'])) as {
      readonly spec: { readonly service: { port: number } };
    };
    await run(['create', 'namespace', 'team']);

    await replica.program().stop('SIGKILL');
    await assertRemedy(/^FailedDiscoveryCheck: .*connection refused/, /-> Nothing listens behind arc-system\/arc-apiserver/);
    await run(['delete', 'namespace', 'team', '--wait=false']);
    await eventually(async () => /^warning +Namespaces: being deleted: team \(.*\n +-> .*APIService/m.test(await doctor()), {
      what: 'the doctor to see the namespace that hangs',
      timeoutMs: 60_000,
    });

    const port = registered.spec.service.port;
    await service({ spec: { type: 'ClusterIP', externalName: null, ports: [{ name: 'https', port: port - 1 }] } });
    await assertRemedy(/^ServicePortError/, /-> The Service arc-system\/arc-apiserver has another port/);
    await service({ spec: { ports: [{ name: 'https', port }] } });
    await assertRemedy(/^EndpointsNotFound/, /-> No pod is behind the Service/);
    await run(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items: unready });
    await assertRemedy(/^MissingEndpoints/, /-> No pod behind the Service arc-system\/arc-apiserver is ready/);
    await run(['-n', 'arc-system', 'delete', 'service', 'arc-apiserver']);
    await assertRemedy(/^ServiceNotFound/, /-> The Service arc-system\/arc-apiserver is gone/);

    await run(['delete', apiService]);
    await run(['wait', '--for=delete', 'namespace/team', '--timeout=90s']);
  },
);
