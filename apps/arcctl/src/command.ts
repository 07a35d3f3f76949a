import type { ExitCode, Streams } from '@arc/cli-kit';
import type { OptionDefinition as SharedOptionDefinition } from '@arc/composition/program';
import type { Clock } from '@arc/kernel';
import type { Connect } from './cluster/connection.ts';

/** Environment variables, as data. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command gets from the process it runs in. */
export interface CliContext {
  readonly streams: Streams;
  readonly environment: Environment;
  readonly clock: Clock;
  /** Aborts on SIGINT and SIGTERM, and when the reader of stdout went away. */
  readonly signal: AbortSignal;
  /** Replaces the way to the API server, for tests. */
  readonly connect?: Connect;
}

/** One run of one command. */
export interface Invocation extends CliContext {
  /** Positional arguments; repeated ones are flattened. */
  readonly args: readonly string[];
  /** Values of the options by their camelCase name; absent when not given and without default. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** Errors are thrown; what is returned is the exit code, 0 when nothing is. */
type Run = (invocation: Invocation) => Promise<ExitCode | void>;

export interface OptionDefinition extends SharedOptionDefinition {
  /** Of a global option: it chooses the server, or what of it, a command talks to. */
  readonly connection?: true;
}

/** A command is data; what it does is imported only when it runs. */
export interface CommandDefinition {
  /** `['order', 'submit']`. */
  readonly path: readonly string[];
  readonly summary: string;
  /** As commander writes them: `<kind> [names...]`. */
  readonly arguments?: string;
  readonly options?: readonly OptionDefinition[];
  /** It talks to no server that a kubeconfig names, so that the global options that choose one mean nothing and its help has none. */
  readonly offline?: true;
  readonly examples?: readonly string[];
  readonly load: () => Promise<Run>;
}

/** The value of an option that takes text. */
export function textOption(invocation: Pick<Invocation, 'options'>, name: string): string | undefined {
  const value = invocation.options[name];
  return typeof value === 'string' ? value : undefined;
}

/** The values of an option that may be given several times. */
export function textsOption(invocation: Pick<Invocation, 'options'>, name: string): readonly string[] {
  const values = invocation.options[name];
  return Array.isArray(values) ? values.filter((value) => typeof value === 'string') : [];
}

/** Whether an option without value was given. */
export function hasFlag(invocation: Pick<Invocation, 'options'>, name: string): boolean {
  return invocation.options[name] === true;
}
