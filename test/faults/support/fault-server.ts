import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientConfigOf, loadKubeconfig } from '@arc/kube-client';
import { startEmbeddedArc, type EmbeddedArc } from '@arc/testkit';
import { createApiClient, type ApiClient } from './api-client.ts';

/** A whole ARC over one storage, as `arcctl up` starts it, and an administrator's client of it. */
export interface FaultServer extends AsyncDisposable {
  readonly client: ApiClient;
  readonly arc: EmbeddedArc;
  readonly dataDir: string;
  /** Ends it with a signal and resolves with its exit code; null after a signal that killed it. */
  stop(signal: NodeJS.Signals): Promise<number | null>;
  /** Starts it again on the same storage and port. */
  start(): Promise<void>;
  /** `stop` and `start`. */
  restart(signal: NodeJS.Signals): Promise<void>;
  isReady(): Promise<boolean>;
  metric(name: string): Promise<number>;
}

export interface FaultServerOptions {
  /** For `--storage`; undefined: the file of the data directory. */
  readonly storage?: string | undefined;
  /** For `--storage-read-url`. */
  readonly readUrl?: string | undefined;
}

export async function startFaultServer({ storage, readUrl }: FaultServerOptions = {}): Promise<FaultServer> {
  const dataDir = await mkdtemp(join(tmpdir(), 'arc-faults-'));
  const options = {
    dataDir,
    ...(storage !== undefined && { storage }),
    ...(readUrl !== undefined && { args: ['--storage-read-url', readUrl] }),
  };
  let arc = await startEmbeddedArc(options);
  const { kubeconfig, server } = arc;
  const client = createApiClient(
    await clientConfigOf(await loadKubeconfig([{ path: kubeconfig, text: await readFile(kubeconfig, 'utf8') }])),
  );
  const start = async (): Promise<void> => {
    arc = await startEmbeddedArc({ ...options, listen: new URL(server).host });
  };
  return {
    client,
    dataDir,
    get arc() {
      return arc;
    },
    stop: (signal) => arc.stop(signal),
    start,
    async restart(signal) {
      await arc.stop(signal);
      await start();
    },
    isReady: async () => (await client.send('GET', '/readyz'))?.code === 200,
    async metric(name) {
      const answer = await client.send('GET', '/metrics');
      const lines = answer?.text.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `)) ?? [];
      return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await arc.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}
