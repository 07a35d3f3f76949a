import { startChild, type Child } from '../processes/calls.ts';
import type { LoadCalls } from './load-process.ts';

export type LoadProcess = Child<LoadCalls>;

/** Starts a process that puts load on servers; a bench that does two things at once uses two. */
export function startLoad(): LoadProcess {
  return startChild<LoadCalls>(new URL('./load-process.ts', import.meta.url));
}
