/** What `/version` answers; `gitVersion` must be a semantic version with a leading `v` (wire contract 1.5). */
export interface VersionInfo {
  readonly major: string;
  readonly minor: string;
  readonly gitVersion: string;
  readonly gitCommit: string;
  readonly gitTreeState: string;
  readonly buildDate: string;
  readonly goVersion: string;
  readonly compiler: string;
  readonly platform: string;
}

/** The Kubernetes minor whose API behaviour this server follows. */
export const defaultVersion: VersionInfo = {
  major: '1',
  minor: '33',
  gitVersion: 'v1.33.0+arc',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `${process.platform}/${process.arch === 'x64' ? 'amd64' : process.arch}`,
};
