import type { Target } from '../load/target.ts';
import { startChild } from '../processes/calls.ts';
import type { RawServerCalls } from './raw-server-process.ts';

/** Answers every request with as many bytes as its path says, and does nothing else: what moving the bytes costs. */
export interface RawServer extends AsyncDisposable {
  readonly target: Target;
}

export async function startRawServer(options: { readonly tls: boolean }): Promise<RawServer> {
  const child = startChild<RawServerCalls>(new URL('./raw-server-process.ts', import.meta.url));
  const target = await child.call('listen', options);
  return { target, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() };
}
