import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installationRbac, tenantRbac } from '@arc/api/rbac';
import { namespaces } from '@arc/api/core';
import { apiVersionOf, isStatusReason } from '@arc/apimachinery';
import type { KindDefinition, KubeObject } from '@arc/apimachinery';
import { defaultAuditPolicy } from '@arc/apiserver';
import { embeddedKinds } from '@arc/composition/storage';
import { clientConfigOf, createKubeClient, discover, loadKubeconfig, writeKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { silentLogger, systemClock } from '@arc/kernel';
import { issueClientCertificate, openCertificateFolder } from '@arc/pki';
import { startStandaloneServer } from '@arc/standalone';
import { createMemoryStore } from '@arc/storage';
import type { Store } from '@arc/storage';
import { createScriptedRunner, createWorkflowEngine } from '@arc/workflows';
import type { Attempt, AttemptResult, ScriptedRunner } from '@arc/workflows';

/** One request as the audit log has it. */
interface AuditedRequest {
  readonly user: string;
  readonly verb: string;
  readonly group: string;
  /** With its subresource, as a rule names it. */
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly code: number;
  readonly userAgent: string;
}

/**
 * What stands in for a cluster: an API server of ours with RBAC, on which everything ARC needs is served, and an engine of ours
 * with scripted steps in place of Argo.
 */
export interface StandInCluster extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  /** A member of `system:masters`. */
  readonly client: KubeClient;
  readonly runner: ScriptedRunner;
  /** In the order in which they ended. */
  readonly requests: readonly AuditedRequest[];
  /** Writes a kubeconfig for a user of that name. */
  kubeconfig(user: string, groups?: readonly string[]): Promise<string>;
  /** Creates what is installed in a real cluster, and a namespace to work in. */
  install(tenant: string): Promise<void>;
}

export interface StandInOptions {
  readonly script?: (attempt: Attempt) => Partial<AttemptResult> | undefined;
  /** Default: all of a cluster with Argo and ARC. */
  readonly kinds?: readonly KindDefinition[];
  readonly port?: number;
  /** Stays the caller's, like the folder. */
  readonly keep?: { readonly store: Store; readonly folder: string };
}

const installedIn = 'arc-system';

export async function startStandInCluster(options: StandInOptions = {}): Promise<StandInCluster> {
  await using opened = new AsyncDisposableStack();
  const folder = options.keep?.folder ?? (await mkdtemp(join(tmpdir(), 'arc-stand-in-')));
  if (options.keep === undefined) opened.defer(() => rm(folder, { recursive: true, force: true }));
  const store = options.keep?.store ?? opened.use(createMemoryStore());
  const requests: AuditedRequest[] = [];
  const server = opened.use(
    await startStandaloneServer({
      kinds: options.kinds ?? embeddedKinds({ minimumCronInterval: 0 }),
      store,
      directory: folder,
      listen: { host: '127.0.0.1', port: options.port ?? 0 },
      audit: {
        policy: defaultAuditPolicy,
        write: (line) => {
          const request = requestOf(line);
          if (request !== undefined) requests.push(request);
        },
      },
    }),
  );
  const { authority } = await openCertificateFolder(join(folder, 'pki'), { authority: 'standalone-ca' });
  const kubeconfig = async (user: string, groups: readonly string[] = []): Promise<string> => {
    const file = join(folder, `${user.replaceAll(':', '-')}.kubeconfig`);
    const clientCertificate = issueClientCertificate(authority, { user, groups });
    await writeKubeconfig(file, { name: 'stand-in', server: server.url, caPem: authority.certPem, clientCertificate });
    return file;
  };
  const client = opened.use(await clientOf(await kubeconfig('tester', ['system:masters']), 'tester'));
  const runner = createScriptedRunner({
    now: () => systemClock.now(),
    ...(options.script !== undefined && { script: options.script }),
  });
  if (options.kinds === undefined)
    opened.use(startEngine(opened.use(await clientOf(await kubeconfig('argo', ['system:masters']), 'argo')), runner));
  const parts = opened.move();
  return {
    folder,
    url: server.url,
    client,
    runner,
    requests,
    kubeconfig,
    async install(tenant) {
      const created = [installedIn, tenant].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
      for (const namespace of created) await client.create<KubeObject>(namespaces, namespace);
      const resources = await discover(client);
      for (const object of [...installationRbac(installedIn), ...tenantRbac(tenant)]) {
        const type = resources
          .map((each) => each.type)
          .find((each) => each.kind === object.kind && apiVersionOf(each) === object.apiVersion);
        if (type === undefined) throw new Error(`the stand-in serves no ${object.kind}`);
        // Roles of users are there by themselves.
        await client.create(type, object).catch((error: unknown) => {
          if (!isStatusReason(error, 'AlreadyExists')) throw error;
        });
      }
    },
    [Symbol.asyncDispose]: () => parts.disposeAsync(),
  };
}

async function clientOf(kubeconfig: string, userAgent: string): Promise<KubeClient> {
  const source = { path: kubeconfig, text: await readFile(kubeconfig, 'utf8') };
  return createKubeClient(await clientConfigOf(await loadKubeconfig([source])), { userAgent });
}

function startEngine(client: KubeClient, runner: ScriptedRunner): AsyncDisposable {
  const stop = new AbortController();
  const running = createWorkflowEngine({ client, runner, logger: silentLogger }).run(stop.signal);
  running.catch(() => {});
  return {
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

/** Undefined for what is recorded of a watch before it ends. */
function requestOf(line: string): AuditedRequest | undefined {
  const {
    user,
    verb,
    objectRef = {},
    responseStatus,
    userAgent = '',
  } = JSON.parse(line) as {
    readonly user: { readonly username: string };
    readonly verb: string;
    readonly objectRef?: {
      readonly apiGroup?: string;
      readonly resource?: string;
      readonly subresource?: string;
      readonly namespace?: string;
      readonly name?: string;
    };
    readonly responseStatus?: { readonly code?: number };
    readonly userAgent?: string;
  };
  const { apiGroup: group = '', resource = '', subresource, namespace = '', name = '' } = objectRef;
  return {
    user: user.username,
    ...{ verb, group, namespace, name, userAgent },
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    code: responseStatus?.code ?? 0,
  };
}
