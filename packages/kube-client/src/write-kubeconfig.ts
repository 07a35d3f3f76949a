import { isObject } from '@arc/apimachinery/client';
import type { JsonObject } from '@arc/apimachinery/client';
import { codeOf, makePrivateDirectory } from '@arc/kernel';
import { randomBytes } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseKubeconfig } from './kubeconfig.ts';

/** One server and one user to reach it as; certificates and keys are PEM text. */
export interface KubeconfigContext {
  /** Names the context, the cluster and the user. */
  readonly name: string;
  readonly server: string;
  readonly caPem: string;
  readonly clientCertificate?: { readonly certPem: string; readonly keyPem: string };
  readonly token?: string;
  readonly namespace?: string;
}

/**
 * Puts a context into a kubeconfig file, in one step and readable by its owner only. What else an existing file holds
 * stays, its current context too; comments do not.
 *
 * @throws ArcError `InvalidKubeconfig` when the file exists and is something else
 */
export async function writeKubeconfig(path: string, context: KubeconfigContext): Promise<void> {
  const text = toYaml(withContext(await existing(path), context));
  makePrivateDirectory(dirname(path));
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function existing(path: string): Promise<JsonObject> {
  try {
    return await parseKubeconfig({ path, text: await readFile(path, 'utf8') });
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return {};
    throw error;
  }
}

function withContext(file: JsonObject, context: KubeconfigContext): JsonObject {
  const { name, server, caPem, clientCertificate, token } = context;
  const namespace = context.namespace ?? namespaceIn(file, name);
  const currentContext = file['current-context'];
  return {
    ...file,
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': typeof currentContext === 'string' && currentContext !== '' ? currentContext : name,
    clusters: withEntry(file['clusters'], { name, cluster: { server, 'certificate-authority-data': base64(caPem) } }),
    contexts: withEntry(file['contexts'], { name, context: { cluster: name, user: name, ...(namespace !== undefined && { namespace }) } }),
    users: withEntry(file['users'], {
      name,
      user: {
        ...(clientCertificate !== undefined && {
          'client-certificate-data': base64(clientCertificate.certPem),
          'client-key-data': base64(clientCertificate.keyPem),
        }),
        ...(token !== undefined && { token }),
      },
    }),
  };
}

/** What the user chose with `kubectl config set-context --current --namespace` stays. */
function namespaceIn(file: JsonObject, name: string): string | undefined {
  const contexts = Array.isArray(file['contexts']) ? (file['contexts'] as unknown[]) : [];
  const entry = contexts.find((candidate): candidate is JsonObject => isObject(candidate) && candidate['name'] === name);
  const namespace = isObject(entry?.['context']) ? entry['context']['namespace'] : undefined;
  return typeof namespace === 'string' ? namespace : undefined;
}

function withEntry(list: unknown, entry: { readonly name: string; readonly [field: string]: unknown }): unknown[] {
  const others = Array.isArray(list) ? (list as unknown[]).filter((other) => !isObject(other) || other['name'] !== entry.name) : [];
  return [...others, entry];
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/** JSON texts are YAML scalars as they stand, so only mappings and lists need a form of their own. */
function toYaml(value: JsonObject, indent = ''): string {
  return Object.entries(value)
    .map(([name, field]) => `${indent}${/^[A-Za-z][\w-]*$/.test(name) ? name : JSON.stringify(name)}:${fieldToYaml(field, indent)}\n`)
    .join('');
}

function fieldToYaml(field: unknown, indent: string): string {
  if (Array.isArray(field) && field.length > 0) {
    return `\n${field.map((item: unknown) => `${indent}- ${itemToYaml(item, `${indent}  `)}`).join('\n')}`;
  }
  if (isObject(field) && Object.keys(field).length > 0) return `\n${toYaml(field, `${indent}  `).trimEnd()}`;
  return ` ${JSON.stringify(field)}`;
}

function itemToYaml(item: unknown, indent: string): string {
  return isObject(item) && Object.keys(item).length > 0 ? toYaml(item, indent).trim() : JSON.stringify(item);
}
