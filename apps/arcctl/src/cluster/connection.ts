import { clientConfigOf, createKubeClient, loadKubeconfig } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import { escapeControls } from '@arc/cli-kit';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { readKubeconfigs } from './kubeconfig-files.ts';

/** The API server the user means, and the namespace to work in. */
export interface Connection extends AsyncDisposable {
  readonly client: KubeClient;
  /** -n, else the namespace of the context, else `default`. */
  readonly namespace: string;
  /** Whether -n was given. */
  readonly isNamespaceExplicit: boolean;
}

export type Connect = (invocation: Invocation) => Promise<Connection>;

/** Connects as the kubeconfig and the global options say. Nothing is sent yet. */
export function connect(invocation: Invocation): Promise<Connection> {
  return (invocation.connect ?? connectByKubeconfig)(invocation);
}

async function connectByKubeconfig(invocation: Invocation): Promise<Connection> {
  const { environment, clock, streams } = invocation;
  const sources = await readKubeconfigs(textOption(invocation, 'kubeconfig'), environment);
  const context = textOption(invocation, 'context');
  const config = await clientConfigOf(await loadKubeconfig(sources), { clock, ...(context !== undefined && { context }) });
  const client = createKubeClient(config, {
    userAgent: 'arcctl',
    clock,
    onWarning: (text) => streams.stderr.write(`Warning: ${escapeControls(text)}\n`),
  });
  const explicit = textOption(invocation, 'namespace');
  return {
    client,
    namespace: explicit ?? config.namespace ?? 'default',
    isNamespaceExplicit: explicit !== undefined,
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
