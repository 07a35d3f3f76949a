import type { ServerUnderTest } from '../server/server-under-test.ts';

export interface WithCpu<T> {
  readonly result: T;
  /** Of the server and its database, milliseconds. */
  readonly cpuMs: number;
}

/** What the server and its database took to serve a load, on however many cores. */
export async function cpuOf<T>(server: ServerUnderTest, load: () => Promise<T>): Promise<WithCpu<T>> {
  const before = await server.cpuMs();
  const result = await load();
  const after = await server.cpuMs();
  return { result, cpuMs: after.server + after.database - before.server - before.database };
}
