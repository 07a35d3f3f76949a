/** Why an artifact cannot be run, in one word. */
type ProblemReason =
  | 'MissingEndpoint'
  | 'MissingSecret'
  | 'MissingArtifactType'
  | 'EndpointUsage'
  | 'TypeNotAllowed'
  | 'InvalidArtifactType'
  | 'InvalidSpec'
  | 'Unsupported';

/** What keeps one artifact from being run. */
export interface Problem {
  readonly reason: ProblemReason;
  /** Names what is wrong and where. */
  readonly message: string;
}

const blockingReasons: ReadonlySet<string> = new Set(['MissingEndpoint', 'MissingSecret', 'MissingArtifactType', 'NameTaken']);

/** True when a run with this reason waits for something that does not exist yet, rather than being wrong. */
export function isBlocking(reason: string | undefined): boolean {
  return reason !== undefined && blockingReasons.has(reason);
}
