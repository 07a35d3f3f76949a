import { secrets, type Secret } from '@arc/api/core';
import { isStatusReason, type KubeObject, type ResourceType } from '@arc/apimachinery';
import type { HealthCheck, TlsOptions } from '@arc/apiserver';
import { messageOf, type Clock, type Logger } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';
import { readIfThere } from '@arc/kube-client';
import { nextServingState, splitCertificates, type ServingState } from './next-state.ts';

export const apiServices: ResourceType = {
  group: 'apiregistration.k8s.io',
  version: 'v1',
  kind: 'APIService',
  plural: 'apiservices',
  namespaced: false,
};

interface APIService extends KubeObject {
  readonly spec?: { readonly caBundle?: string };
}

export interface ServingCertificateOptions {
  /** The Secret of type `kubernetes.io/tls` that all replicas share. */
  readonly secret: { readonly namespace: string; readonly name: string };
  /** DNS names of the Service, the one the aggregation layer dials among them. */
  readonly names: readonly string[];
  /** The APIServices that lead to this server. */
  readonly apiServices: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A certificate that is made, kept and renewed in the cluster. Disposing ends the looking after it. */
export interface KeptServingCertificate extends AsyncDisposable {
  /** The newest one, once it is there. */
  readonly current: () => TlsOptions | undefined;
  readonly onChange: (listener: (tls: TlsOptions) => void) => Disposable;
  /** Fails until there is one and clients know whose it is. */
  readonly readyCheck: HealthCheck;
}

/** How often the Secret and the APIServices are looked at: a renewal by another replica is in force within this. */
const intervalMs = 30_000;
/** While something is missing, people wait. */
const retryMs = 2_000;

/**
 * Serves with a certificate of an authority of its own, for clusters without cert-manager: the first replica makes both and keeps them in a
 * Secret, every replica renews what is due and writes into the `caBundle` of the APIServices whom to trust (wire contract A4). Replicas
 * agree by the resourceVersion of the Secret.
 *
 * @param client may get and update that Secret, create Secrets in its namespace, get and patch those APIServices; stays the caller's
 */
export function keepServingCertificate(client: KubeClient, options: ServingCertificateOptions): KeptServingCertificate {
  const { secret: ref, names, clock, logger } = options;
  const listeners = new Set<(tls: TlsOptions) => void>();
  const stop = new AbortController();
  const { signal } = stop;
  let current: TlsOptions | undefined;
  let problem: string | undefined = 'the certificate has not been looked for yet';

  async function look(): Promise<void> {
    const found = await readIfThere<Secret>(client, secrets, ref, signal);
    const trusted = await trustedAuthorities();
    const state = found === undefined ? undefined : readState(found);
    const next = nextServingState(state, { names, trusted, clock });
    if (next !== state) await write(found, next);
    serve(next);
    await publish(next.authorities.join(''));
  }

  async function write(found: Secret | undefined, state: ServingState): Promise<void> {
    const data = {
      'tls.crt': encode(`${state.certificate}${state.authorities.join('')}`),
      'tls.key': encode(state.key),
      'ca.crt': encode(state.authorities.join('')),
      'ca.key': encode(state.authorityKey),
    };
    if (found === undefined) {
      await client.create<Secret>(
        secrets,
        { apiVersion: 'v1', kind: 'Secret', metadata: { ...ref }, type: 'kubernetes.io/tls', data },
        { signal },
      );
    } else await client.update<Secret>(secrets, { ...found, data: { ...found.data, ...data } }, { signal });
    logger.info('wrote a serving certificate', { secret: `${ref.namespace}/${ref.name}` });
  }

  function serve({ certificate, authorities, key }: ServingState): void {
    const cert = `${certificate}${authorities.join('')}`;
    if (current?.cert === cert && current.key === key) return;
    current = { cert, key };
    for (const listener of listeners) listener(current);
  }

  async function trustedAuthorities(): Promise<readonly string[]> {
    const bundles = await Promise.all(
      options.apiServices.map(async (name) => {
        const found = await readIfThere<APIService>(client, apiServices, { name }, signal);
        return splitCertificates(decode(found?.spec?.caBundle));
      }),
    );
    const [first = [], ...others] = bundles;
    return first.filter((authority) => others.every((bundle) => bundle.includes(authority)));
  }

  async function publish(bundle: string): Promise<void> {
    const caBundle = encode(bundle);
    for (const name of options.apiServices) {
      const { spec } = await client.get<APIService>(apiServices, { name }, { signal });
      if (spec?.caBundle === caBundle) continue;
      await client.patch(apiServices, { name }, { spec: { caBundle } }, { signal });
      logger.info('told the aggregation layer whom to trust', { apiService: name });
    }
  }

  async function run(): Promise<void> {
    while (!signal.aborted) {
      let wait = intervalMs;
      try {
        await look();
        if (problem !== undefined) logger.info('the serving certificate is known to the aggregation layer');
        problem = undefined;
      } catch (error) {
        if (signal.aborted) return;
        wait = retryMs;
        // Another replica was faster: what it wrote is read next.
        if (!isStatusReason(error, 'Conflict') && !isStatusReason(error, 'AlreadyExists')) {
          const said = problem;
          problem = messageOf(error);
          if (said !== problem) logger.error('the serving certificate cannot be kept', { problem });
        }
      }
      await clock.sleep(wait, signal).catch(() => undefined);
    }
  }

  const running = run();
  return {
    current: () => current,
    onChange(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    readyCheck: {
      name: 'serving-certificate',
      isPublic: true,
      check: () => {
        if (problem !== undefined)
          throw new Error(`the serving certificate cannot be kept in the Secret ${ref.namespace}/${ref.name}: ${problem}`);
      },
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

/** Undefined when the Secret lacks one of its parts: it is filled anew. */
function readState({ data = {} }: Secret): ServingState | undefined {
  const [certificate] = splitCertificates(decode(data['tls.crt']));
  const authorities = splitCertificates(decode(data['ca.crt']));
  const [key, authorityKey] = [decode(data['tls.key']), decode(data['ca.key'])];
  if (certificate === undefined || authorities.length === 0 || key === '' || authorityKey === '') return undefined;
  return { authorities, authorityKey, certificate, key };
}

function encode(text: string): string {
  return Buffer.from(text).toString('base64');
}

function decode(text: string | undefined): string {
  return Buffer.from(text ?? '', 'base64').toString('utf8');
}
