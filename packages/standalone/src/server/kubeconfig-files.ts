import { type KubeconfigContext, writeKubeconfig } from '@arc/kube-client';

/** Files that all hold the same context. */
export interface KubeconfigFiles {
  /** @throws ArcError `InvalidKubeconfig` when the file exists and is something else */
  write(file: string): Promise<void>;
  /** Writes those again that hold another certificate than the context has now. */
  renew(): Promise<void>;
}

export function kubeconfigFiles(context: () => KubeconfigContext): KubeconfigFiles {
  const written = new Map<string, KubeconfigContext['clientCertificate']>();
  const write = async (file: string): Promise<void> => {
    const present = context();
    await writeKubeconfig(file, present);
    written.set(file, present.clientCertificate);
  };
  return {
    write,
    renew: async () => {
      for (const [file, certificate] of written) if (certificate !== context().clientCertificate) await write(file);
    },
  };
}
