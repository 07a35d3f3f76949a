import { startChild, type Child } from '../processes/calls.ts';
import { execArgv, type ServerUnderTest } from '../server/server-under-test.ts';
import type { ControllersCalls, Part } from './controllers-process.ts';

export type PartProcess = Child<ControllersCalls>;

/** Controllers or engine in a process of their own, counted by the server under the name of the part. */
export async function startPart(server: ServerUnderTest, part: Part): Promise<PartProcess> {
  await using parts = new AsyncDisposableStack();
  const child = parts.use(startChild<ControllersCalls>(new URL('./controllers-process.ts', import.meta.url), { execArgv }));
  await child.call('start', { part, target: await server.administrator(part) });
  parts.move();
  return child;
}
