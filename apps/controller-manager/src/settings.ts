import { join } from 'node:path';
import type { ArcLimits, HandOverSettings } from '@arc/arc-controllers';
import { UsageError } from '@arc/cli-kit';
import { parseListenAddress } from '@arc/composition';
import type { ListenAddress } from '@arc/composition';
import { logLevelOf, probeSettingsOf, textOf } from '@arc/composition/program';
import type { OptionValues, ProbeSettings } from '@arc/composition/program';
import type { LogLevel } from '@arc/kernel';

/** What the controller manager was asked for. */
export interface Settings extends ProbeSettings {
  readonly kubeconfig: string | undefined;
  readonly context: string | undefined;
  /** Default: that of the pod. */
  readonly namespace: string | undefined;
  readonly leaderElect: boolean;
  readonly leaseName: string;
  readonly health: ListenAddress | undefined;
  readonly metrics: MetricsSettings | undefined;
  readonly limits: ArcLimits;
  readonly handOver: HandOverSettings;
  /** What waits for the quota of Kueue: each pod by its labels, or the whole run by a Workload. */
  readonly kueue: 'pods' | 'workloads';
  readonly logLevel: LogLevel;
}

interface MetricsSettings {
  readonly listen: ListenAddress;
  readonly secure: boolean;
  readonly certFile: string | undefined;
  readonly keyFile: string | undefined;
  readonly reviewed: boolean;
}

/** @throws UsageError; ArcError `InvalidListenAddress` */
export function settingsOf(options: OptionValues): Settings {
  return {
    kubeconfig: textOf(options, 'kubeconfig'),
    context: textOf(options, 'context'),
    namespace: textOf(options, 'namespace'),
    leaderElect: isOn(options, 'leaderElect'),
    leaseName: textOf(options, 'leaderElectionId') ?? '',
    health: addressOf(options, 'healthProbeBindAddress'),
    metrics: metricsSettingsOf(options),
    limits: {
      maxActiveWorkflows: countOf(options, 'maxActiveWorkflows', '--max-active-workflows') ?? 100,
      ...limitOf(options, 'maxActivePerNamespace', '--max-active-per-namespace'),
      ...limitOf(options, 'maxActivePerEndpoint', '--max-active-per-endpoint'),
    },
    handOver: handOverOf(options),
    kueue: textOf(options, 'kueue') === 'workloads' ? 'workloads' : 'pods',
    logLevel: logLevelOf(options, 'info'),
    ...probeSettingsOf(options),
  };
}

function handOverOf(options: OptionValues): HandOverSettings {
  const instanceId = textOf(options, 'argoInstanceId');
  const serviceAccountName = textOf(options, 'workflowServiceAccount');
  return {
    ...(instanceId !== undefined && { instanceId }),
    ...(serviceAccountName !== undefined && { serviceAccountName }),
    volumesFrom: textOf(options, 'workflowVolumes') === 'template' ? 'template' : 'workflow',
    onVanished: textOf(options, 'vanishedWorkflows') === 'fail' ? 'fail' : 'recreate',
  };
}

function metricsSettingsOf(options: OptionValues): MetricsSettings | undefined {
  const listen = addressOf(options, 'metricsBindAddress');
  if (listen === undefined) return undefined;
  const folder = textOf(options, 'metricsCertPath');
  const fileOf = (name: string): string | undefined => (folder === undefined ? undefined : join(folder, textOf(options, name) ?? ''));
  const secure = isOn(options, 'metricsSecure');
  const access = textOf(options, 'metricsAccess') ?? (secure ? 'review' : 'open');
  if (!secure && access === 'review') {
    throw new UsageError('--metrics-access review needs --metrics-secure', { hint: 'Tokens are not to be sent over plain HTTP.' });
  }
  return { listen, secure, certFile: fileOf('metricsCertName'), keyFile: fileOf('metricsCertKey'), reviewed: access === 'review' };
}

/** Pods are reached at addresses of the cluster, so what names no host means all of them. */
function addressOf(options: OptionValues, name: string): ListenAddress | undefined {
  const text = textOf(options, name) ?? '0';
  return text === '0' ? undefined : parseListenAddress(text, '0.0.0.0');
}

/** Without a value the flag means true, as the flags of Go programs do. */
function isOn(options: OptionValues, name: string): boolean {
  return options[name] === true || options[name] === 'true';
}

function limitOf<N extends keyof ArcLimits>(options: OptionValues, name: N, flag: string): Partial<Record<N, number>> {
  const count = countOf(options, name, flag);
  return count === undefined ? {} : ({ [name]: count } as Record<N, number>);
}

function countOf(options: OptionValues, name: string, flag: string): number | undefined {
  const text = textOf(options, name);
  if (text === undefined) return undefined;
  const count = Number(text);
  if (/^\d+$/.test(text) && count >= 1) return count;
  throw new UsageError(`${flag} must be a whole number of at least 1, not ${text}`);
}
