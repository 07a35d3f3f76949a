import { type Clock, type Logger, messageOf } from '@arc/kernel';

/** Far more often than a certificate comes due, so that a failure has time to be mended. */
const intervalMs = 3_600_000;

/**
 * Has the certificates of a server and its clients issued anew whenever they are due, until disposed.
 * @param ensure leaves those that are not due alone.
 * @throws what `ensure` throws the first time
 */
export async function keepCertificates(
  ensure: () => Promise<unknown>,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Promise<Disposable> {
  await ensure();
  let timer: Disposable | undefined;
  const wait = (): void => {
    timer = clock.after(intervalMs, () => {
      ensure().catch((error: unknown) => logger.error('certificates could not be renewed', { reason: messageOf(error) }));
      wait();
    });
  };
  wait();
  return { [Symbol.dispose]: () => timer?.[Symbol.dispose]() };
}
