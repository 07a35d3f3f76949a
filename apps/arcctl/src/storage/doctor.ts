import { createTablePrinter, exitCodes } from '@arc/cli-kit';
import type { ExitCode } from '@arc/cli-kit';
import { ArcError, codeOf } from '@arc/kernel';
import { examineObjects } from '@arc/storage';
import type { Finding } from '@arc/storage';
import { textOption } from '../command.ts';
import type { Invocation } from '../command.ts';
import { servedResources } from '@arc/composition/storage';
import { chosenStorage } from './chosen-storage.ts';
import type { ChosenStorage } from './chosen-storage.ts';
import { countingLine } from './counting-line.ts';
import { etcdOptions } from '@arc/composition/storage';
import { openSource } from './open-source.ts';
import { removeValue } from './remove-value.ts';
import { storageName } from './storage-name.ts';

interface Diagnosis {
  /** Undefined when the storage could not be opened. */
  readonly content: { readonly revision: number; readonly objects: number } | undefined;
  readonly findings: readonly Finding[];
}

/**
 * `arcctl storage doctor`: looks through a storage, also beside a running server, or with `--remove` removes one value that
 * cannot be read.
 *
 * @throws UsageError; ArcError `NotFound`, `Readable`, `Conflict`, `Declined` with `--remove`
 */
export async function examineStorage(invocation: Invocation): Promise<ExitCode> {
  const chosen = chosenStorage(invocation);
  const key = textOption(invocation, 'remove');
  if (key !== undefined) {
    await removeValue(invocation, chosen, key);
    return exitCodes.ok;
  }
  const diagnosis = await diagnose(invocation, chosen);
  const isHealthy = diagnosis.findings.every(({ severity }) => severity !== 'problem');
  if (textOption(invocation, 'output') === 'json') {
    const { content, findings } = diagnosis;
    const report = { storage: storageName(chosen.choice), healthy: isHealthy, ...content, findings };
    invocation.streams.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    print(invocation, diagnosis, isHealthy);
  }
  return isHealthy ? exitCodes.ok : exitCodes.failure;
}

async function diagnose(invocation: Invocation, chosen: ChosenStorage): Promise<Diagnosis> {
  const { signal, streams, clock } = invocation;
  const findings: Finding[] = [];
  try {
    findings.push(...(await diagnoseBackend(chosen, signal)));
    await using source = await openSource(chosen, { signal, offline: false });
    using line = countingLine(streams.stderr, clock);
    let objects = 0;
    const examined = await examineObjects(source.snapshot.objects(signal), servedResources(), (done) => {
      objects = done;
      line.show('examining', done);
    });
    return { content: { revision: source.snapshot.revision, objects }, findings: [...findings, ...examined] };
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof ArcError) || codeOf(error) === 'InvalidStorageUrl') throw error;
    const { message, hint } = error;
    findings.push({ severity: 'problem', check: 'opening', message, ...(hint !== undefined && { hint }) });
    return { content: undefined, findings };
  }
}

/** What only the backend itself can tell. */
async function diagnoseBackend({ choice, password }: ChosenStorage, signal: AbortSignal): Promise<readonly Finding[]> {
  switch (choice.kind) {
    case 'memory':
      return [];
    case 'sqlite': {
      const { diagnoseSqlite } = await import('@arc/storage-sqlite');
      return diagnoseSqlite(choice.file);
    }
    case 'postgres': {
      const { diagnosePostgres } = await import('@arc/storage-postgres');
      return await diagnosePostgres({ url: choice.url, ...(password !== undefined && { password }) });
    }
    case 'etcd': {
      const { diagnoseEtcd } = await import('@arc/storage-etcd');
      return (await diagnoseEtcd({ ...(await etcdOptions(choice.url)), signal })).findings;
    }
  }
}

function print({ streams: { stdout } }: Invocation, { content, findings }: Diagnosis, isHealthy: boolean): void {
  if (findings.length > 0) {
    createTablePrinter(stdout, [{ name: 'Severity' }, { name: 'Check' }, { name: 'Key' }, { name: 'Revision' }, { name: 'Finding' }]).print(
      findings.map(({ severity, check, key, revision, message }) => [severity, check, key ?? '-', revision ?? '-', message]),
    );
    const hints = new Set(findings.flatMap(({ check, hint }) => (hint === undefined ? [] : [`${check}: ${hint}`])));
    stdout.write('\n');
    for (const hint of hints) stdout.write(`hint for ${hint}\n`);
  }
  const looked = content === undefined ? '' : `Looked at ${content.objects} objects, at revision ${content.revision}. `;
  const problems = findings.filter(({ severity }) => severity === 'problem').length;
  stdout.write(`${looked}${isHealthy ? 'Nothing is wrong.' : `${problems} ${problems === 1 ? 'problem' : 'problems'}.`}\n`);
}
