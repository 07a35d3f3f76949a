import { configMaps, secrets } from '@arc/api/core';
import type { ConfigMap, Secret } from '@arc/api/core';
import { isStatusReason } from '@arc/apimachinery';
import { ArcError } from '@arc/kernel';
import type { KubeClient } from '@arc/kube-client';

/** Something a step refers to does not exist yet; the step waits for it, as a pod would. */
export class MissingReferenceError extends ArcError {
  constructor(message: string) {
    super('MissingReference', message, { retryable: true });
  }
}

/** The keys of a Secret or ConfigMap with their content; undefined when it does not exist. */
export type KeyValues = ReadonlyMap<string, Buffer>;

/** Reads each Secret and ConfigMap of a namespace at most once. */
export class References {
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #signal: AbortSignal;
  readonly #read = new Map<string, Promise<KeyValues | undefined>>();

  constructor(client: KubeClient, namespace: string, signal: AbortSignal) {
    this.#client = client;
    this.#namespace = namespace;
    this.#signal = signal;
  }

  secret(name: string): Promise<KeyValues | undefined> {
    return this.#once(`secret/${name}`, async () => {
      const { data = {} } = await this.#client.get<Secret>(secrets, { namespace: this.#namespace, name }, { signal: this.#signal });
      return new Map(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
    });
  }

  configMap(name: string): Promise<KeyValues | undefined> {
    return this.#once(`configmap/${name}`, async () => {
      const map = await this.#client.get<ConfigMap>(configMaps, { namespace: this.#namespace, name }, { signal: this.#signal });
      return new Map([
        ...Object.entries(map.data ?? {}).map(([key, value]) => [key, Buffer.from(value)] as const),
        ...Object.entries(map.binaryData ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
      ]);
    });
  }

  #once(key: string, read: () => Promise<KeyValues>): Promise<KeyValues | undefined> {
    const known = this.#read.get(key);
    if (known !== undefined) return known;
    const reading = read().catch((error: unknown) => {
      if (isStatusReason(error, 'NotFound')) return undefined;
      throw error;
    });
    this.#read.set(key, reading);
    return reading;
  }
}
