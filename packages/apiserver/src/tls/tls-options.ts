import type { Followed } from './follow-files.ts';

export interface TlsOptions {
  /** PEM; the server's own chain. */
  readonly cert: string;
  readonly key: string;
  /**
   * PEM bundle of the authorities that sign client certificates, by which clients choose theirs. Without it they are asked
   * for any.
   */
  readonly clientCa?: string;
}

/** What a server proves itself with, and may get anew while it runs. */
export type TlsSource = Pick<Followed<TlsOptions>, 'current' | 'onChange'>;

/** A source of what never changes. */
export function fixedTls(tls: TlsOptions): TlsSource {
  return { current: () => tls, onChange: () => ({ [Symbol.dispose]: () => {} }) };
}
