/** One request as it was served. `status` is 0 while it is in progress and when the connection was cut. */
export interface LoggedRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  status: number;
  /** Body bytes received and sent. */
  requestBytes: number;
  responseBytes: number;
}

/** Every request in order of arrival. */
export class RequestLog {
  #entries: LoggedRequest[] = [];

  get entries(): readonly LoggedRequest[] {
    return this.#entries;
  }

  /** The requests whose method and path match; an absent part matches everything. */
  matching(match: { readonly method?: string; readonly path?: RegExp }): readonly LoggedRequest[] {
    return this.#entries.filter(
      (entry) => (match.method === undefined || match.method === entry.method) && (match.path === undefined || match.path.test(entry.path)),
    );
  }

  clear(): void {
    this.#entries = [];
  }

  add(entry: LoggedRequest): void {
    this.#entries.push(entry);
  }
}

export interface TagWrite {
  readonly repository: string;
  readonly tag: string;
  readonly digest: string;
  readonly writer: string;
}

/** Who wrote to one repository. A writer is told apart by its User-Agent, which should hold an instance id. */
export interface RepositoryWriters {
  /** Most blob uploads whose bodies were being received at the same time. */
  readonly maxConcurrentUploads: number;
  /** Most uploads of the *same* digest at the same time: above 1 means two copies of one artifact ran at once. */
  readonly maxConcurrentUploadsOfOneBlob: number;
  /** Most different writers with a write in progress at the same time. */
  readonly maxConcurrentWriters: number;
  /** The writers in order, consecutive writes by the same one joined: `[a, b]` is a handover, `[a, b, a]` interleaving. */
  readonly sequence: readonly string[];
}

interface Activity {
  readonly writing: Map<string, number>;
  readonly blobs: Map<string, number>;
  readonly sequence: string[];
  uploads: number;
  maxUploads: number;
  maxOfOneBlob: number;
  maxWriters: number;
}

/** Records overlapping writers, so that a test can assert that there never were two. */
export class WriterLog {
  readonly #repositories = new Map<string, Activity>();
  readonly #tagWrites: TagWrite[] = [];

  /** Every tag that was set, in order; seeding does not count. */
  get tagWrites(): readonly TagWrite[] {
    return this.#tagWrites;
  }

  of(repository: string): RepositoryWriters {
    const activity = this.#repositories.get(repository);
    return {
      maxConcurrentUploads: activity?.maxUploads ?? 0,
      maxConcurrentUploadsOfOneBlob: activity?.maxOfOneBlob ?? 0,
      maxConcurrentWriters: activity?.maxWriters ?? 0,
      sequence: [...(activity?.sequence ?? [])],
    };
  }

  tagged(write: TagWrite): void {
    this.#tagWrites.push(write);
  }

  /** Records a write until the returned handle is disposed; `blob` names the digest when a blob's body is being received. */
  begin(repository: string, writer: string, blob?: string): Disposable {
    const activity = this.#open(repository);
    if (activity.sequence.at(-1) !== writer) activity.sequence.push(writer);
    raise(activity.writing, writer);
    activity.maxWriters = Math.max(activity.maxWriters, activity.writing.size);
    if (blob !== undefined) {
      activity.uploads += 1;
      activity.maxUploads = Math.max(activity.maxUploads, activity.uploads);
      activity.maxOfOneBlob = Math.max(activity.maxOfOneBlob, raise(activity.blobs, blob));
    }
    return {
      [Symbol.dispose]: () => {
        lower(activity.writing, writer);
        if (blob === undefined) return;
        activity.uploads -= 1;
        lower(activity.blobs, blob);
      },
    };
  }

  #open(repository: string): Activity {
    let activity = this.#repositories.get(repository);
    if (activity === undefined) {
      activity = { writing: new Map(), blobs: new Map(), sequence: [], uploads: 0, maxUploads: 0, maxOfOneBlob: 0, maxWriters: 0 };
      this.#repositories.set(repository, activity);
    }
    return activity;
  }
}

function raise(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}

function lower(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 1) - 1;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
