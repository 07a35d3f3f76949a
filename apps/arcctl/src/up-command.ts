import type { ExitCode } from '@arc/cli-kit';
import { auditSettingsOf, logLevelOf, minimumCronIntervalOf, probeSettingsOf, textOf } from '@arc/composition/program';
import type { Invocation } from './command.ts';
import { defaultDataDirectory } from './default-data-directory.ts';
import type { UpOptions } from './up-options.ts';

/** For what is left to be written. */
const endAfterMs = 1000;

/** `arcctl up`: the only command that loads server, engine and storage. */
export async function runUpCommand(invocation: Invocation): Promise<ExitCode | void> {
  const { runUp } = await import('./up/command.ts');
  const code = await runUp(upOptionsFrom(invocation), invocation.streams);
  // Everything has ended but for lookups of names that nobody answers for, which cannot be called off. The timer itself keeps no process.
  invocation.clock.after(endAfterMs, () => process.exit(code));
  return code;
}

export function upOptionsFrom({ options, environment, signal }: Pick<Invocation, 'options' | 'environment' | 'signal'>): UpOptions {
  const kubeconfig = textOf(options, 'kubeconfig');
  const storage = textOf(options, 'storage');
  const storageReadUrl = textOf(options, 'storageReadUrl');
  const { PGPASSWORD: storagePassword } = environment;
  return {
    dataDir: textOf(options, 'dataDir') ?? defaultDataDirectory(environment),
    listen: textOf(options, 'listen') ?? '127.0.0.1:6443',
    logLevel: logLevelOf(options, 'warn'),
    minimumCronInterval: minimumCronIntervalOf(options),
    signal,
    ...(kubeconfig !== undefined && { kubeconfig }),
    ...(storage !== undefined && { storage }),
    ...(storageReadUrl !== undefined && { storageReadUrl }),
    ...(storagePassword !== undefined && { storagePassword }),
    ...auditSettingsOf(options),
    ...probeSettingsOf(options),
  };
}
