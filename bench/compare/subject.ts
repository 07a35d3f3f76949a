import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { decodeYaml, isObject } from '@arc/apimachinery';
import { clientConfigOf, loadKubeconfig, type ClientConfig } from '@arc/kube-client';
import { templateOf, type ObjectTemplate } from '../load/object-template.ts';
import type { Target } from '../load/target.ts';
import { orderManifest } from '../server/order-sample.ts';

/** What a server has used so far. */
interface Usage {
  /** CPU time of the server and its database. */
  readonly cpuMs: number;
  /** Memory of the server itself. */
  readonly rssBytes: number;
}

/** A server to put load on. */
export interface Subject {
  /** What it is called in the results. */
  readonly name: string;
  readonly target: Target;
  readonly collection: string;
  readonly template: ObjectTemplate;
  /** Absent for a server that is not one of this machine's processes. */
  readonly usage?: () => Promise<Usage>;
  /** It ends with all it holds, so that nothing has to be removed from it. */
  readonly temporary?: true;
}

export interface SubjectOptions {
  /** `NAME=FILE` or `FILE`. */
  readonly kubeconfig: string;
  /** `GROUP/VERSION/PLURAL`, or `VERSION/PLURAL` of the core group. */
  readonly resource: string;
  readonly namespace: string;
  /** A manifest, YAML or JSON, of one object; its name and namespace are replaced. Default: an Order. */
  readonly templateFile?: string;
}

/** @throws ArcError for an unusable kubeconfig; Error for a wrong resource or template */
export async function openSubject({ kubeconfig, resource, namespace, templateFile }: SubjectOptions): Promise<Subject> {
  const [, name, path = kubeconfig] = /^(?:([^=/]+)=)?(.+)$/.exec(kubeconfig) ?? [];
  const config = await clientConfigOf(await loadKubeconfig([{ path, text: await readFile(path, 'utf8') }]));
  return {
    name: name ?? basename(path),
    target: await targetOf(config),
    collection: collectionOf(resource, namespace),
    template: templateOf(await manifestOf(resource, templateFile), namespace),
  };
}

/** Where the server of a kubeconfig is, and who its user is. */
export async function targetOf(config: ClientConfig): Promise<Target> {
  const { protocol, hostname, port, pathname } = new URL(config.server);
  const token = typeof config.token === 'function' ? await config.token() : config.token;
  const basePath = pathname.replace(/\/$/, '');
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port === '' ? (protocol === 'https:' ? 443 : 80) : port),
    ...(protocol === 'https:' && {
      tls: {
        ...(config.caPem !== undefined && { ca: config.caPem }),
        ...(config.clientCertificate !== undefined && { cert: config.clientCertificate.certPem, key: config.clientCertificate.keyPem }),
        ...(config.tlsServerName !== undefined && { serverName: config.tlsServerName }),
        ...(config.insecureSkipTlsVerify === true && { insecure: true }),
      },
    }),
    ...(token !== undefined && { token }),
    ...(basePath !== '' && { basePath }),
  };
}

function collectionOf(resource: string, namespace: string): string {
  const parts = resource.split('/');
  const plural = parts.pop();
  if (plural === undefined || parts.length === 0 || parts.length > 2 || resource.includes('//')) {
    throw new Error(`the resource ${resource} is not GROUP/VERSION/PLURAL, or VERSION/PLURAL of the core group`);
  }
  const root = parts.length === 1 ? `/api/${parts[0]}` : `/apis/${parts.join('/')}`;
  return `${root}/namespaces/${namespace}/${plural}`;
}

async function manifestOf(resource: string, file: string | undefined): Promise<Readonly<Record<string, unknown>>> {
  if (file === undefined) {
    if (resource.startsWith('arc.opendefense.cloud/') && resource.endsWith('/orders')) return orderManifest;
    throw new Error(`there is no built-in manifest for ${resource}: give one with --template`);
  }
  const { value } = decodeYaml(await readFile(file, 'utf8'));
  if (!isObject(value) || typeof value['apiVersion'] !== 'string' || typeof value['kind'] !== 'string') {
    throw new Error(`${file} is not a manifest with apiVersion and kind`);
  }
  return value;
}
