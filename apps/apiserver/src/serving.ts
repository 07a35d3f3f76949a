import { keepServingCertificate } from '@arc/aggregated';
import { arcGroup } from '@arc/api/arc';
import type { HealthCheck, TlsSource } from '@arc/apiserver';
import { UsageError } from '@arc/cli-kit';
import { servingCertificate, unknownCertificate } from '@arc/composition';
import { textOf } from '@arc/composition/program';
import type { OptionValues } from '@arc/composition/program';
import type { Clock, Logger } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

/** Where the certificate of this server comes from, as its command line says. */
export type ServingChoice =
  | { readonly kind: 'files'; readonly certFile: string | undefined; readonly keyFile: string | undefined }
  | { readonly kind: 'secret'; readonly name: string; readonly service: string };

/** @throws UsageError */
export function servingChoiceOf(options: OptionValues): ServingChoice {
  const [certFile, keyFile] = [textOf(options, 'tlsCertFile'), textOf(options, 'tlsPrivateKeyFile')];
  const name = textOf(options, 'servingSecret');
  if (name === undefined) return { kind: 'files', certFile, keyFile };
  if (certFile !== undefined || keyFile !== undefined) {
    throw new UsageError('--serving-secret makes a certificate, and --tls-cert-file names one', { hint: 'Choose one of them.' });
  }
  return { kind: 'secret', name, service: textOf(options, 'service') ?? 'arc-apiserver' };
}

export interface Serving extends AsyncDisposable {
  readonly tls: TlsSource;
  readonly readyChecks: readonly HealthCheck[];
}

/**
 * Opens what the choice names. Until a kept certificate is there, which needs the cluster, one serves that nobody knows: good for
 * probes, refused by the aggregation layer.
 *
 * @param connect makes a client of the cluster, which the result owns
 */
export async function openServing(
  choice: ServingChoice,
  {
    namespace,
    connect,
    clock,
    logger,
  }: { readonly namespace: string; connect(): KubeClient; readonly clock: Clock; readonly logger: Logger },
): Promise<Serving> {
  if (choice.kind === 'files') {
    const tls = await servingCertificate(choice, { clock, logger });
    return { tls, readyChecks: [], [Symbol.asyncDispose]: () => Promise.resolve(tls[Symbol.dispose]()) };
  }
  await using opened = new AsyncDisposableStack();
  const before = unknownCertificate();
  const { name, service } = choice;
  const kept = opened.use(
    keepServingCertificate(opened.use(connect()), {
      secret: { namespace, name },
      names: ['.svc', '', '.svc.cluster.local'].map((suffix) => `${service}.${namespace}${suffix}`),
      apiServices: [`v1alpha1.${arcGroup}`],
      ...{ clock, logger },
    }),
  );
  const resources = opened.move();
  return {
    tls: { current: () => kept.current() ?? before, onChange: kept.onChange },
    readyChecks: [kept.readyCheck],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}
