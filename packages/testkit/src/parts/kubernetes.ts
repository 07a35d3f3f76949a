import { spawn, type ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { createAuthority, issueClientCertificate, issueServerCertificate, type CertificateAndKey } from '@arc/pki';
import { collect } from '../process/collect.ts';
import { eventually } from '../process/eventually.ts';
import { findBuilt, findProgram, findTool } from '../process/find-program.ts';
import { freePort } from '../process/free-port.ts';
import { runCommand } from '../process/run.ts';

type KubernetesProgram = 'kube-apiserver' | 'kube-controller-manager';

function programOf(name: KubernetesProgram): string | undefined {
  return findTool(`kubernetes/${name}`);
}

/** An etcd as new as a kube-apiserver wants it to use all it can; that on the PATH may be years older. */
export function kubernetesEtcd(): string | undefined {
  return findBuilt('kubernetes/etcd') ?? findProgram('etcd');
}

/** Why these cannot be started; undefined when they can. */
export function missingKubernetes(...names: readonly KubernetesProgram[]): string | undefined {
  const missing = names.filter((name) => programOf(name) === undefined);
  if (missing.length > 0) return `no ${missing.join(', ')} on this machine: test/tools/kubernetes/build.sh builds it with Go`;
  return kubernetesEtcd() === undefined ? 'no etcd on this machine' : undefined;
}

/** `1.33.0 with etcd 3.5.0`; undefined where there is no kube-apiserver. */
export async function kubernetesVersion(): Promise<string | undefined> {
  const [program, etcd] = [programOf('kube-apiserver'), kubernetesEtcd()];
  if (program === undefined || etcd === undefined) return undefined;
  const [own, database] = await Promise.all([program, etcd].map((each) => runCommand(each, ['--version'])));
  return `${/\d+\.\S+/.exec(own?.stdout ?? '')?.[0]} with etcd ${/\d+\.\S+/.exec(database?.stdout ?? '')?.[0]}`;
}

export interface KubeApiserverOptions {
  /** Where its etcd answers, for example `http://127.0.0.1:2379`. */
  readonly etcd: string;
  /** Further command line arguments. */
  readonly args?: readonly string[];
}

/** A real kube-apiserver on loopback, with RBAC and an aggregation layer. */
export interface KubeApiserver extends AsyncDisposable {
  /** The same after every `start`. */
  readonly url: string;
  readonly pid: number;
  /** Of its serving certificate. */
  readonly caPem: string;
  /** What it printed last. */
  readonly output: string;
  /** A kubeconfig with a client certificate for this user. Returns the file. */
  kubeconfig(user: string, groups?: readonly string[]): Promise<string>;
  /** Ends it by kill -9. */
  kill(): Promise<void>;
  /** Starts it again with the same files; resolves when it is ready. */
  start(): Promise<void>;
}

/** Starts a kube-apiserver over an etcd, with its files under `folder`, and waits until it is ready. */
export async function startKubeApiserver(folder: string, { etcd, args = [] }: KubeApiserverOptions): Promise<KubeApiserver> {
  const program = programOf('kube-apiserver');
  if (program === undefined) throw new Error(missingKubernetes('kube-apiserver'));
  await mkdir(folder, { recursive: true });
  const clients = createAuthority({ commonName: 'clients' });
  const frontProxies = createAuthority({ commonName: 'front proxies' });
  const serving = createAuthority({ commonName: 'serving' });
  const file = (name: string): string => join(folder, name);
  const pair = async (name: string, { certPem, keyPem }: CertificateAndKey): Promise<void> => {
    await writeFile(file(`${name}.pem`), certPem);
    await writeFile(file(`${name}-key.pem`), keyPem, { mode: 0o600 });
  };
  await pair('serving', issueServerCertificate(serving, { names: ['localhost', 'kubernetes.default.svc'], addresses: ['127.0.0.1'] }));
  await pair('aggregator', issueClientCertificate(frontProxies, { user: 'aggregator', groups: [] }));
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  await writeFile(file('service-accounts-key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  await writeFile(file('clients.pem'), clients.certPem);
  await writeFile(file('front-proxies.pem'), frontProxies.certPem);

  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const flags: Readonly<Record<string, string>> = {
    'etcd-servers': etcd,
    'bind-address': '127.0.0.1',
    'advertise-address': '127.0.0.1',
    'secure-port': String(port),
    // Endpoints of the service `kubernetes` must not be of loopback, so nobody keeps them here.
    'endpoint-reconciler-type': 'none',
    'service-cluster-ip-range': '10.96.0.0/24',
    'tls-cert-file': file('serving.pem'),
    'tls-private-key-file': file('serving-key.pem'),
    'client-ca-file': file('clients.pem'),
    'authorization-mode': 'RBAC',
    'service-account-issuer': 'https://kubernetes.default.svc',
    'service-account-signing-key-file': file('service-accounts-key.pem'),
    'service-account-key-file': file('service-accounts-key.pem'),
    'requestheader-client-ca-file': file('front-proxies.pem'),
    'requestheader-allowed-names': 'aggregator',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'proxy-client-cert-file': file('aggregator.pem'),
    'proxy-client-key-file': file('aggregator-key.pem'),
  };
  const probe = issueClientCertificate(clients, { user: 'probe', groups: ['system:masters'] });
  let child: ChildProcess | undefined;
  let output: { readonly text: string } = { text: '' };
  const server: KubeApiserver = {
    url,
    get pid() {
      return child?.pid ?? 0;
    },
    caPem: serving.certPem,
    get output() {
      return output.text;
    },
    async kubeconfig(user, groups = []) {
      const path = file(`kubeconfig-${user.replaceAll(/\W/g, '-')}`);
      const client = issueClientCertificate(clients, { user, groups });
      await writeFile(path, kubeconfigText(url, { caPem: serving.certPem, user, client }), { mode: 0o600 });
      return path;
    },
    async start() {
      const started = spawn(program, [...Object.entries(flags).map(([name, value]) => `--${name}=${value}`), ...args], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      child = started;
      output = collect(started);
      try {
        await eventually(
          async () => {
            if (started.exitCode !== null) throw new Error(`kube-apiserver ended with ${started.exitCode}`);
            return (await get(`${url}/readyz`, serving.certPem, probe)) === 'ok';
          },
          { what: `kube-apiserver on ${url}`, timeoutMs: 60_000, intervalMs: 100 },
        );
      } catch (error) {
        await ended(started);
        throw new Error(`kube-apiserver did not start: ${output.text}`, { cause: error });
      }
    },
    kill: () => ended(child),
    [Symbol.asyncDispose]: () => ended(child),
  };
  await server.start();
  return server;
}

/** Some of the controllers of a cluster. */
export interface KubeControllers extends AsyncDisposable {
  /** Ends them by kill -9. */
  kill(): Promise<void>;
  /** Starts them again. */
  start(): void;
}

/** Starts the given controllers of a kube-controller-manager as the user of a kubeconfig. */
export function startKubeControllers(kubeconfig: string, controllers: readonly string[]): KubeControllers {
  const program = programOf('kube-controller-manager');
  if (program === undefined) throw new Error(missingKubernetes('kube-controller-manager'));
  const args = [`--kubeconfig=${kubeconfig}`, `--controllers=${controllers.join(',')}`, '--leader-elect=false', '--secure-port=0'];
  const start = (): ChildProcess => spawn(program, args, { stdio: 'ignore' });
  let child = start();
  return {
    kill: () => ended(child),
    start: () => void (child = start()),
    [Symbol.asyncDispose]: () => ended(child),
  };
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

async function get(url: string, ca: string, { certPem, keyPem }: CertificateAndKey): Promise<string> {
  const outgoing = request(url, { ca, cert: certPem, key: keyPem, agent: false, signal: AbortSignal.timeout(2000) }).end();
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return await text(response);
}

interface KubeconfigUser {
  readonly caPem: string;
  readonly user: string;
  readonly client: CertificateAndKey;
}

/** JSON, which is YAML, too. */
function kubeconfigText(server: string, { caPem, user, client }: KubeconfigUser): string {
  const base64 = (pem: string): string => Buffer.from(pem).toString('base64');
  const name = 'kubernetes';
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': name },
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(caPem) } }],
    users: [{ name: user, user: { 'client-certificate-data': base64(client.certPem), 'client-key-data': base64(client.keyPem) } }],
    contexts: [{ name, context: { cluster: name, user } }],
  });
}
