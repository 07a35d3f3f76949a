import type { KubeObject } from '@arc/apimachinery';
import type { Clock, Logger } from '@arc/kernel';
import { anySignal, silentLogger, systemClock } from '@arc/kernel';
import type { Informer } from '@arc/kube-client';
import type { ControllerDefinition } from './controller.ts';
import type { ControllerMetrics } from './run-controller.ts';
import { runController } from './run-controller.ts';

export interface StartControllersOptions {
  /** Informers that no controller has as a source but that must run as well. */
  readonly informers?: readonly Informer<KubeObject>[];
  /** Stops everything, as disposing does. */
  readonly signal?: AbortSignal;
  readonly logger?: Logger;
  readonly clock?: Clock;
  readonly metrics?: ControllerMetrics;
}

/** Controllers at work. Disposing stops them and waits for the reconciles in progress. */
export interface RunningControllers extends AsyncDisposable {
  /** Resolves when every informer has synced and every controller works. Rejects when stopped before. */
  readonly ready: Promise<void>;
}

/** How long the informers may take before the log says who is being waited for. */
const slowSyncMs = 10_000;

/**
 * Starts each informer once, however many controllers share it, and each controller as soon as *its* informers have
 * synced, so that one resource that cannot be listed holds up only those that need it.
 */
export function startControllers(definitions: readonly ControllerDefinition[], options: StartControllersOptions = {}): RunningControllers {
  const { informers: extra = [], logger = silentLogger, clock = systemClock, metrics } = options;
  const stop = new AbortController();
  const signal = anySignal(stop.signal, options.signal);
  const informers = new Set<Informer<KubeObject>>([
    ...extra,
    ...definitions.flatMap(({ sources }) => sources.map((source) => source.informer)),
  ]);

  const waitingFor = new Set(definitions.map(({ name }) => name));
  const readies = definitions.map(() => Promise.withResolvers<void>());
  const controllers = definitions.map(async (definition, index) => {
    const onReady = (): void => {
      waitingFor.delete(definition.name);
      readies[index]?.resolve();
    };
    try {
      await runController(definition, { signal, logger, clock, onReady, ...(metrics !== undefined && { metrics }) });
    } finally {
      readies[index]?.reject(signal.reason);
    }
  });
  const running = [...[...informers].map((informer) => informer.run(signal)), ...controllers];
  const failed = Promise.withResolvers<never>();
  for (const part of running) part.catch(failed.reject);

  const allReady = Promise.all([...readies.map(({ promise }) => promise), ...[...informers].map((informer) => informer.synced(signal))]);
  const ready = Promise.race([allReady, failed.promise]).then(() => undefined);
  const slow = clock.after(slowSyncMs, () => {
    logger.warn('controllers are still waiting for their first lists', { waitingFor: [...waitingFor] });
  });
  ready.catch(() => undefined).finally(() => slow[Symbol.dispose]());

  return {
    ready,
    async [Symbol.asyncDispose]() {
      stop.abort(new DOMException('the controllers are stopping', 'AbortError'));
      await Promise.allSettled(running);
    },
  };
}
