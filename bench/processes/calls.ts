import { fork } from 'node:child_process';
import { once } from 'node:events';

/** What a child process offers: functions of one structured-cloneable argument. */
export type CallTable = Readonly<Record<string, (argument: never) => unknown>>;

type Argument<Call> = Call extends (argument: infer A) => unknown ? A : never;
type Result<Call> = Call extends (argument: never) => infer R ? Awaited<R> : never;

/** A child process whose functions are called from here. Disposing of it ends it. */
export interface Child<Calls> extends AsyncDisposable {
  readonly pid: number;
  /** Rejects with the message of what the function threw, or when the process ended before it answered. */
  call<Name extends keyof Calls & string>(name: Name, argument: Argument<Calls[Name]>): Promise<Result<Calls[Name]>>;
}

interface Request {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Response = { readonly id: number } & ({ readonly result: unknown } | { readonly error: string });

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Starts `module` as a process of its own, so that it shares no event loop and no garbage collector with anything else. */
export function startChild<Calls>(module: URL, options: { readonly execArgv?: readonly string[] } = {}): Child<Calls> {
  const child = fork(module, { serialization: 'advanced', execArgv: [...(options.execArgv ?? [])] });
  const waiting = new Map<number, Waiting>();
  let next = 0;
  child.on('message', (response: Response) => {
    const call = waiting.get(response.id);
    waiting.delete(response.id);
    if ('error' in response) call?.reject(new Error(response.error));
    else call?.resolve(response.result);
  });
  child.on('exit', (code, signal) => {
    for (const { reject } of waiting.values()) reject(new Error(`${module.pathname} ended with ${code ?? signal}`));
    waiting.clear();
  });
  return {
    pid: child.pid ?? 0,
    call: <Name extends keyof Calls & string>(name: Name, argument: Argument<Calls[Name]>) =>
      new Promise<Result<Calls[Name]>>((resolve, reject) => {
        const id = next++;
        waiting.set(id, { resolve: (result) => resolve(result as Result<Calls[Name]>), reject });
        const request: Request = { id, name, argument };
        child.send(request, (error) => error !== null && reject(error));
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

/** In the child: answers calls until the parent disconnects, then `close`s and lets the process end. */
export function answerCalls(calls: CallTable, close: () => unknown = () => {}): void {
  const answer = async ({ id, name, argument }: Request): Promise<void> => {
    let response: Response;
    try {
      const call = calls[name] as ((argument: unknown) => unknown) | undefined;
      if (call === undefined) throw new Error(`there is no call ${name}`);
      response = { id, result: await call(argument) };
    } catch (error) {
      response = { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    if (process.connected) process.send?.(response);
  };
  process.on('message', (request: Request) => void answer(request));
  process.on('disconnect', () => void Promise.resolve(close()).finally(() => process.exit()));
}
