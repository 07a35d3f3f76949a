/** Names one attempt to run a step. Retries are nodes of their own, so a node has one attempt at a time. */
export interface AttemptId {
  readonly workflowUid: string;
  readonly nodeId: string;
}

/** Content of a volume, settled when the attempt starts. */
export type VolumeSource =
  | { readonly kind: 'files'; readonly files: readonly VolumeFile[] }
  | { readonly kind: 'emptyDir' }
  /** Shared by all steps of the Workflow; made on first use. */
  | { readonly kind: 'claim'; readonly name: string };

export interface VolumeFile {
  /** Relative, without `..`. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly mode: number;
}

export interface AttemptMount {
  /** Name of the entry in `volumes`. */
  readonly volume: string;
  /** Absolute, as the template declares it. */
  readonly mountPath: string;
  readonly subPath?: string;
  readonly readOnly: boolean;
}

/** Everything a runner needs to run one step; nothing is left to be looked up. */
export interface Attempt extends AttemptId {
  readonly namespace: string;
  readonly workflowName: string;
  readonly nodeName: string;
  readonly podName: string;
  readonly templateName: string;
  readonly image: string;
  /** Empty: what the image starts by itself. */
  readonly command: readonly string[];
  readonly args: readonly string[];
  /** Written to `/argo/staging/script`, whose path is appended to the arguments. */
  readonly script?: string;
  readonly workingDir?: string;
  /** In order; of two with one name the last wins. */
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumes: Readonly<Record<string, VolumeSource>>;
  readonly mounts: readonly AttemptMount[];
  /** Files to read back when the step has ended. */
  readonly outputs: readonly { readonly name: string; readonly path: string }[];
  /** Keep standard output as the node's result. */
  readonly captureResult: boolean;
}

/** Why an attempt was ended from outside, and what its node becomes. */
export interface StopReason {
  /** `Pending`: the attempt was interrupted, is no failure and will run again. */
  readonly phase: 'Failed' | 'Error' | 'Pending';
  readonly message: string;
}

export interface AttemptResult {
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number;
  /** 128 + n for a process ended by signal n. */
  readonly exitCode: number;
  /** Set when the step could not be set up or its outcome could not be read; the node is an Error. */
  readonly error?: string;
  readonly stopped?: StopReason;
  /** One trailing newline trimmed, the last 256 KiB. */
  readonly result?: string;
  /** Content by output name, one trailing newline trimmed; a file that is not there has no entry. */
  readonly outputs: Readonly<Record<string, string>>;
  /** `n/m` as the step last wrote it. */
  readonly progress?: string;
}

/** What is known of an attempt. */
export type Observation =
  /** Never started, or its traces were released. */
  | { readonly state: 'absent' }
  | { readonly state: 'running'; readonly startedAt: number; readonly progress?: string }
  | { readonly state: 'ended'; readonly result: AttemptResult }
  /** It was started and left neither a living process nor an exit code; nothing of it is alive any more. */
  | { readonly state: 'lost'; readonly startedAt: number; readonly runs: number };

/**
 * Runs attempts. An attempt outlives the process that started it: after a crash `recover` finds what is left, and the
 * runner never lets two processes run for one attempt at the same time.
 */
export interface Runner extends AsyncDisposable {
  /** Recorded as the host of a node. */
  readonly hostName: string;
  /** One line for people: how steps are run. */
  readonly description: string;
  /**
   * Finds the survivors of an earlier process and takes them over; called before anything else. Returns every attempt
   * that is known then. Calling it again finds nothing new.
   */
  recover(): Promise<readonly AttemptId[]>;
  /** Names what this host lacks to run a step; undefined when nothing is missing. Starts nothing. */
  missing(step: { readonly image: string; readonly command: readonly string[] }): Promise<string | undefined>;
  /**
   * Starts the attempt unless it is already known. Returns what the paths a step declares were turned into, when it
   * could not see them as declared.
   *
   * @throws ArcError when it cannot be started; the attempt is absent then
   */
  start(attempt: Attempt): Promise<StartReport>;
  observe(id: AttemptId): Promise<Observation>;
  /**
   * Ends the attempt: asks, waits for the grace period, then kills. Resolves when nothing of it is alive; from then on
   * it is observed as `ended` with this reason, or as it ended by itself before. Unknown attempts are no error.
   */
  stop(id: AttemptId, reason: StopReason): Promise<void>;
  /** Forgets an attempt that has ended or is lost, with everything it left behind but its log. */
  release(id: AttemptId): Promise<void>;
  /** Calls `changed` when an attempt has ended or its progress has moved. */
  onChange(changed: (id: AttemptId) => void): Disposable;
  /** Attempts known now, whatever their state. */
  known(workflowUid: string): readonly AttemptId[];
  /** Removes the directories of a Workflow's claims. */
  removeClaims(workflowUid: string): Promise<void>;
  /** Removes what is left of Workflows that are gone. */
  prune(exists: (workflowUid: string) => boolean): Promise<void>;
}

export interface StartReport {
  /** Declared paths that were replaced by others in the command, the environment and the script. */
  readonly rewrittenPaths: readonly string[];
}
