import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  eventually,
  findKubectls,
  findTool,
  kubectlRunner,
  kubernetesEtcd,
  missingKubernetes,
  runCommand,
  startEtcd,
  startKubeApiserver,
} from '@arc/testkit';

const kubectl = (await findKubectls()).at(-1);
const helm = findTool('helm');
const controllers = findTool('cert-manager/cert-manager-controllers');
const missing =
  kubectl === undefined
    ? 'no kubectl of 1.27 or newer on this machine'
    : helm === undefined
      ? 'no helm on this machine: test/tools/helm/build.sh builds it with Go'
      : controllers === undefined
        ? 'no cert-manager on this machine: test/tools/cert-manager/build.sh builds it with Go'
        : missingKubernetes('kube-apiserver');

interface Secret {
  readonly data: Readonly<Record<'ca.crt' | 'tls.crt' | 'tls.key', string>>;
}

test(
  '7 a real cert-manager makes what the chart asks for: certificates the control plane trusts, by its authority in the APIService',
  { skip: missing ?? false, timeout: 240_000 },
  async () => {
    assert.ok(kubectl !== undefined && helm !== undefined && controllers !== undefined);
    await using owner = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'arc-cert-manager-'));
    owner.defer(() => rm(folder, { recursive: true, force: true }));
    const etcd = owner.use(await startEtcd(kubernetesEtcd() ?? '', join(folder, 'etcd')));
    const kube = owner.use(await startKubeApiserver(join(folder, 'kube'), { etcd: etcd.url }));
    const env = { KUBECONFIG: await kube.kubeconfig('admin', ['system:masters']) };
    const run = async (args: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await kubectlRunner(kubectl, env.KUBECONFIG)(args);
      assert.equal(code, 0, `kubectl ${args.join(' ')}\n${stderr}`);
      return stdout;
    };
    const secret = async (name: string): Promise<Secret> =>
      JSON.parse(await run(['-n', 'arc-system', 'get', 'secret', name, '-o', 'json'])) as Secret;
    const pem = (base64: string): string => Buffer.from(base64, 'base64').toString();

    await run(['apply', '--server-side', '-f', join(dirname(controllers), 'crds')]);
    await run(['wait', '--for=condition=Established', 'crd', '--all', '--timeout=60s']);
    const certManager = spawn(controllers, { env: { ...process.env, ...env }, stdio: 'ignore' });
    owner.defer(async () => {
      const exited = once(certManager, 'exit');
      if (certManager.kill()) await exited;
    });
    const chart = fileURLToPath(new URL('../../charts/arc', import.meta.url));
    // That it is there is what the chart goes by.
    const installed = await runCommand(helm, ['install', 'arc', chart, '-n', 'arc-system', '--create-namespace'], { env });
    assert.equal(installed.code, 0, installed.stderr);

    await run(['-n', 'arc-system', 'wait', '--for=condition=Ready', 'certificate', '--all', '--timeout=60s']);
    const bundle = await eventually(() => run(['get', 'apiservice', 'v1alpha1.arc.opendefense.cloud', '-o', 'jsonpath={.spec.caBundle}']), {
      what: 'the authority in the APIService',
      timeoutMs: 60_000,
    });
    const authority = new X509Certificate(pem(bundle));
    assert.equal(authority.ca, true);
    const names = { 'arc-apiserver-tls': 'arc-apiserver.arc-system.svc', 'arc-etcd-tls': 'arc-etcd-0.arc-etcd-peers.arc-system.svc' };
    for (const [name, host] of Object.entries(names)) {
      const { data } = await secret(name);
      const certificate = new X509Certificate(pem(data['tls.crt']));
      assert.equal(certificate.checkHost(host), host.includes('peers') ? '*.arc-etcd-peers.arc-system.svc' : host);
      assert.ok(certificate.checkIssued(authority) && certificate.verify(authority.publicKey), name);
      assert.equal(new X509Certificate(pem(data['ca.crt'])).fingerprint256, authority.fingerprint256);
    }
  },
);
