import { clusterArtifactTypes, endpoints, orders } from '@arc/api/arc';
import type { Workflow } from '@arc/api/argo';
import { workflows } from '@arc/api/argo';
import type { KubeClient } from '@arc/kube-client';
import { eventually, phaseOf } from './api-scenario.ts';
import { clusterType, endpoint, order } from './world.ts';

/** Statuses are written at once, so that tests do not wait for them. */
export const quick = { limits: { orderStatusIntervalMs: 20, startIntervalMs: 0, progressIntervalMs: 20 } } as const;

/** Tells which artifacts were handed over to the engine, by their images. */
export class HandOvers {
  readonly #client: KubeClient;
  readonly #seen = new Set<string>();
  #probes = 0;

  constructor(client: KubeClient) {
    this.#client = client;
  }

  /**
   * Images that were handed over since the last call. An Order of its own is run first: the controllers work off what they are
   * told in order, so that whatever earlier changes lead to has been led to.
   */
  async take(): Promise<string[]> {
    this.#probes += 1;
    const name = `probe-${this.#probes}`;
    if (this.#probes === 1) {
      for (const side of ['probe-src', 'probe-dst']) await this.#client.create(endpoints, endpoint(side));
      await this.#client.create(clusterArtifactTypes, clusterType('probe'));
    }
    const artifacts = [{ type: 'probe', srcRef: { name: 'probe-src' }, dstRef: { name: 'probe-dst' }, spec: { image: name } }];
    await this.#client.create(orders, order([], { name, spec: { artifacts } }));
    await eventually('the end of a probe', async () => (await phaseOf(this.#client, name)) === 'Succeeded');
    const images: string[] = [];
    for (const { metadata, spec } of (await this.#client.list<Workflow>(workflows)).items) {
      const image = spec.arguments?.parameters?.find((parameter) => parameter.name === 'specImage')?.value;
      if (!this.#seen.has(metadata.uid ?? '') && image !== name) images.push(String(image));
      this.#seen.add(metadata.uid ?? '');
    }
    return images.sort();
  }
}
