import { createKubeClient } from '@arc/kube-client';
import type { KubeClient } from '@arc/kube-client';
import type { Target } from '../load/target.ts';

/** A client as controllers have it in production. */
export function clientOf({ host, port, tls }: Target, userAgent: string): KubeClient {
  return createKubeClient(
    {
      server: `https://${host}:${port}`,
      ...(tls?.ca !== undefined && { caPem: tls.ca }),
      ...(tls?.cert !== undefined && tls.key !== undefined && { clientCertificate: { certPem: tls.cert, keyPem: tls.key } }),
    },
    { userAgent, multiplex: true },
  );
}
