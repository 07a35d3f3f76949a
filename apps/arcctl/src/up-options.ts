import type { AuditSettings, ProbeSettings } from '@arc/composition/program';
import type { LogLevel } from '@arc/kernel';

/** What `arcctl up` was asked for. */
export interface UpOptions extends AuditSettings, ProbeSettings {
  readonly dataDir: string;
  /** `HOST:PORT` as given. */
  readonly listen: string;
  /** Where to put the kubeconfig besides the data directory. */
  readonly kubeconfig?: string;
  /** `sqlite:FILE`, `postgres://...`, `etcd://...` or `memory:` as given. */
  readonly storage?: string;
  /** Of a streaming replica of the database `storage`, as given. */
  readonly storageReadUrl?: string;
  /** For a database whose URL names neither a password nor a file with one. */
  readonly storagePassword?: string;
  /** Shortest time between two runs of a schedule, milliseconds; 0: no limit. */
  readonly minimumCronInterval: number;
  readonly logLevel: LogLevel;
  /** Aborts on SIGINT and SIGTERM: shut down cleanly. A second signal ends the process at once. */
  readonly signal: AbortSignal;
}
