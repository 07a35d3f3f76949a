import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from './api-client.ts';

/** What must be answered at once whatever the storage does: an orchestrator restarts a server whose livez fails. */
const alwaysUp = ['/livez', '/apis/arc.opendefense.cloud/v1alpha1'];

export interface Probes extends AsyncDisposable {
  readonly failures: readonly string[];
}

/** Asks for what has to stay up, again and again until disposed of. */
export function startProbes(client: ApiClient): Probes {
  const failures: string[] = [];
  let stopped = false;
  const probing = (async () => {
    while (!stopped) {
      for (const path of alwaysUp) {
        const answer = await client.send('GET', path, { timeoutSeconds: 1 });
        if (answer?.code !== 200) failures.push(`${path}: ${answer?.code ?? 'no answer'}`);
      }
      await delay(100);
    }
  })();
  return {
    failures,
    async [Symbol.asyncDispose]() {
      stopped = true;
      await probing;
    },
  };
}
