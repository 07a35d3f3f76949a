import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { request as requestPlain, type IncomingMessage } from 'node:http';
import { request as requestTls } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { eventually } from '../process/eventually.ts';
import { freePort } from '../process/free-port.ts';

export interface EtcdOptions {
  /** PEM texts; clients then speak TLS, and prove themselves by a certificate of `clientCaPem` where that is given. */
  readonly tls?: { readonly certPem: string; readonly keyPem: string; readonly clientCaPem?: string };
  /** Turns authentication on, with the user `root` and this password. Not together with `clientCaPem`. */
  readonly auth?: { readonly rootPassword: string };
  /** Further command line arguments. */
  readonly args?: readonly string[];
}

/** A member of an etcd on loopback that belongs to one test; by itself unless it was started as one of several. */
export interface EtcdServer extends AsyncDisposable {
  /** `127.0.0.1:PORT`; the same after every `start`. */
  readonly host: string;
  /** `http://127.0.0.1:PORT`, or https with TLS. */
  readonly url: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Ends it by kill -9. */
  kill(): Promise<void>;
  /** Asks it to end (SIGTERM), and waits until it has. */
  stop(): Promise<void>;
  /** Starts it again over the same data; resolves when it serves, and so not before most members run. */
  start(): Promise<void>;
  /** Stops it without ending it, so that it hangs, until `resume`. */
  pause(): void;
  resume(): void;
  /**
   * Calls `/v3/<path>` of the JSON gateway, as `root` where there is authentication; keys and values in it are in base64.
   */
  call(path: string, body: unknown): Promise<unknown>;
  /** Whether it leads; rejects when it does not answer. */
  isLeader(): Promise<boolean>;
}

/** Starts the given `etcd` program (3.4 or newer) with its data under `folder`, and waits until it serves. */
export async function startEtcd(program: string, folder: string, options: EtcdOptions = {}): Promise<EtcdServer> {
  await mkdir(folder, { recursive: true });
  const server = new Server(program, { folder, port: await freePort(), healthPort: await freePort(), options });
  await server.writeCertificates();
  await server.start();
  try {
    if (options.auth !== undefined) await server.enableAuth(options.auth.rootPassword);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

/** Starts the members of one etcd, each as `startEtcd` does, and waits until all serve. Ends them all when disposed of. */
export async function startEtcdCluster(
  program: string,
  folder: string,
  { members: count = 3, ...options }: Omit<EtcdOptions, 'auth' | 'tls'> & { readonly members?: number } = {},
): Promise<AsyncDisposable & { readonly members: readonly EtcdServer[] }> {
  const names = Array.from({ length: count }, (_, i) => `m${i}`);
  const peers = await Promise.all(names.map(async (name) => ({ name, peer: `http://127.0.0.1:${await freePort()}` })));
  const cluster = peers.map(({ name, peer }) => `${name}=${peer}`).join(',');
  const members: Server[] = [];
  for (const { name, peer } of peers) {
    const member = { name, peer, cluster };
    await mkdir(join(folder, name), { recursive: true });
    members.push(
      new Server(program, { folder: join(folder, name), port: await freePort(), healthPort: await freePort(), options, member }),
    );
  }
  const kill = async (): Promise<void> => void (await Promise.all(members.map((member) => member.kill())));
  try {
    await Promise.all(members.map((member) => member.start()));
  } catch (error) {
    await kill();
    throw error;
  }
  return { members, [Symbol.asyncDispose]: kill };
}

interface Layout {
  readonly folder: string;
  readonly port: number;
  readonly healthPort: number;
  readonly options: EtcdOptions;
  /** When it is one of several: its name, its own URL for the others, and `NAME=URL` of them all. */
  readonly member?: { readonly name: string; readonly peer: string; readonly cluster: string };
}

const anyPort = 'http://127.0.0.1:0';

class Server implements EtcdServer {
  readonly host: string;
  readonly url: string;
  readonly #program: string;
  readonly #layout: Layout;
  #process: ChildProcess | undefined;
  /** Once authentication is on. */
  #rootPassword: string | undefined;

  constructor(program: string, layout: Layout) {
    this.#program = program;
    this.#layout = layout;
    this.host = `127.0.0.1:${layout.port}`;
    this.url = `${layout.options.tls === undefined ? 'http' : 'https'}://${this.host}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async start(): Promise<void> {
    const child = spawn(this.#program, this.#arguments(), { stdio: 'ignore' });
    this.#process = child;
    const health = `http://127.0.0.1:${this.#layout.healthPort}/health`;
    await eventually(
      async () => {
        if (child.exitCode !== null) throw new Error(`etcd ended with ${child.exitCode}`);
        return (await (await fetch(health)).text()).includes('"true"');
      },
      { what: `etcd on ${this.host}`, timeoutMs: 20_000, intervalMs: 20 },
    );
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  pause(): void {
    this.#process?.kill('SIGSTOP');
  }

  resume(): void {
    this.#process?.kill('SIGCONT');
  }

  async isLeader(): Promise<boolean> {
    const answer = (await this.call('maintenance/status', {})) as {
      readonly header?: { readonly member_id?: string };
      readonly leader?: string;
    };
    return answer.leader !== undefined && answer.leader === answer.header?.member_id;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  async writeCertificates(): Promise<void> {
    const { tls } = this.#layout.options;
    if (tls === undefined) return;
    await writeFile(this.#file('server.pem'), tls.certPem);
    await writeFile(this.#file('server-key.pem'), tls.keyPem, { mode: 0o600 });
    if (tls.clientCaPem !== undefined) await writeFile(this.#file('client-ca.pem'), tls.clientCaPem);
  }

  /** Over the JSON gateway, so that no driver is needed here. */
  async enableAuth(password: string): Promise<void> {
    await this.call('auth/user/add', { name: 'root', password });
    await this.call('auth/role/add', { name: 'root' });
    await this.call('auth/user/grant', { user: 'root', role: 'root' });
    await this.call('auth/enable', {});
    this.#rootPassword = password;
  }

  async call(path: string, body: unknown): Promise<unknown> {
    return await this.#post(path, body, this.#rootPassword === undefined ? undefined : await this.#rootToken(this.#rootPassword));
  }

  async #rootToken(password: string): Promise<string> {
    return ((await this.#post('auth/authenticate', { name: 'root', password })) as { readonly token: string }).token;
  }

  async #post(path: string, body: unknown, token?: string): Promise<unknown> {
    const send = this.#layout.options.tls === undefined ? requestPlain : requestTls;
    const options = {
      method: 'POST',
      rejectUnauthorized: false,
      signal: AbortSignal.timeout(2_000),
      headers: token === undefined ? {} : { authorization: token },
    };
    const outgoing = send(`${this.url}/v3/${path}`, options);
    outgoing.end(JSON.stringify(body));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const answer = await text(response);
    if (response.statusCode !== 200) throw new Error(`etcd answered ${response.statusCode} to ${path}: ${answer}`);
    return JSON.parse(answer);
  }

  #arguments(): string[] {
    const { folder, healthPort, options, member } = this.#layout;
    const { name, peer, cluster } = member ?? { name: 'default', peer: anyPort, cluster: `default=${anyPort}` };
    // A single member waits for one election after a restart; several hold one whenever a busy machine delays a heartbeat.
    const [heartbeatMs, electionMs] = member === undefined ? [10, 100] : [50, 500];
    return [
      ['--data-dir', join(folder, 'data')],
      ['--listen-client-urls', this.url],
      ['--advertise-client-urls', this.url],
      ['--name', name],
      ['--listen-peer-urls', peer],
      ['--initial-advertise-peer-urls', peer],
      ['--initial-cluster', cluster],
      ['--listen-metrics-urls', `http://127.0.0.1:${healthPort}`],
      ['--heartbeat-interval', String(heartbeatMs), '--election-timeout', String(electionMs)],
      ['--logger', 'zap', '--log-level', 'panic'],
      this.#tlsArguments(),
      options.args ?? [],
    ].flat();
  }

  #tlsArguments(): string[] {
    const { tls } = this.#layout.options;
    if (tls === undefined) return [];
    const own = ['--cert-file', this.#file('server.pem'), '--key-file', this.#file('server-key.pem')];
    return tls.clientCaPem === undefined ? own : [...own, '--client-cert-auth', '--trusted-ca-file', this.#file('client-ca.pem')];
  }

  #file(name: string): string {
    return join(this.#layout.folder, name);
  }
}
