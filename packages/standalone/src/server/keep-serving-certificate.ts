import { type Clock, type Logger, messageOf } from '@arc/kernel';

/** Far more often than a certificate comes due, so that a failure has time to be mended. */
const intervalMs = 3_600_000;

/**
 * Has the certificate of a server issued anew whenever it is due, until disposed.
 * @param ensure leaves one that is not due alone.
 * @throws what `ensure` throws the first time
 */
export async function keepServingCertificate(
  ensure: () => Promise<unknown>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Disposable> {
  await ensure();
  let timer: Disposable | undefined;
  const wait = (): void => {
    timer = clock.after(intervalMs, () => {
      ensure().catch((error: unknown) => logger.error('the serving certificate could not be renewed', { reason: messageOf(error) }));
      wait();
    });
  };
  wait();
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}
