import type { Namespace } from './namespace.ts';

/** The namespaces a server creates at its first start. */
export function defaultNamespaces(): Namespace[] {
  return ['default', 'kube-system'].map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
}
