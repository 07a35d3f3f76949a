/** Why an artifact cannot be run, in one word. */
type ProblemReason = (typeof problemReasons)[number];

const problemReasons = [
  'MissingEndpoint',
  'MissingSecret',
  'MissingArtifactType',
  'EndpointUsage',
  'TypeNotAllowed',
  'InvalidArtifactType',
  'InvalidSpec',
] as const;

/** What keeps one artifact from being run. */
export interface Problem {
  readonly reason: ProblemReason;
  /** Names what is wrong and where. */
  readonly message: string;
}

/** True when a reason tells what is wrong with what a run refers to, which may be mended at any time. */
export function isProblem(reason: string | undefined): boolean {
  return problemReasons.some((known) => known === reason);
}

const blockingReasons: ReadonlySet<string> = new Set([
  'MissingEndpoint',
  'MissingSecret',
  'MissingArtifactType',
  'NameTaken',
  'ScheduleRefused',
]);

/** True when a run with this reason waits for something that does not exist yet, rather than being wrong. */
export function isBlocking(reason: string | undefined): boolean {
  return reason !== undefined && blockingReasons.has(reason);
}
