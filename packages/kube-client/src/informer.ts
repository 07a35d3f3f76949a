import type { KubeObject } from '@arc/apimachinery/client';

export interface InformerHandler<T extends KubeObject> {
  added?(object: T): void;
  updated?(object: T, old: T): void;
  /** @param known as handlers were last told of it, which may be older than the object as it went */
  deleted?(object: T, known: T): void;
}

/** Computes the values an object is found under in a named index. */
export type IndexFunction<T extends KubeObject> = (object: T) => readonly string[];

/**
 * A local copy of one resource kept by list and watch: resumes from its last revision, relists on 410, delivers every
 * change to its handlers in order. Objects are shared: never change one.
 */
export interface Informer<T extends KubeObject> {
  /** Runs until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the first list has been delivered. */
  synced(signal?: AbortSignal): Promise<void>;
  addHandler(handler: InformerHandler<T>): void;
  get(namespace: string | undefined, name: string): T | undefined;
  list(namespace?: string): readonly T[];
  byIndex(index: string, value: string): readonly T[];
}
