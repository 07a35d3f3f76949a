import { escapeControls, exitCodes, styleFor, type ExitCode } from '@arc/cli-kit';
import { isStatusReason } from '@arc/apimachinery/client';
import { connect } from '../cluster/connection.ts';
import { textOption, type Invocation } from '../command.ts';
import { apiServiceCheck, apiServiceName, apiServices, discoveryCheck, getJson, orUndefined, type APIService } from './apis.ts';
import { runCheck, type Check, type CheckedFinding, type Patient } from './check.ts';
import { argoCheck, leaderCheck, namespacesCheck, rightsCheck, tenantsCheck } from './controllers.ts';
import { endpointsCheck, ordersCheck, typesCheck } from './work.ts';

/** In the order in which one depends on another. */
const checks: readonly Check[] = [
  apiServiceCheck,
  discoveryCheck,
  rightsCheck,
  leaderCheck,
  argoCheck,
  tenantsCheck,
  namespacesCheck,
  typesCheck,
  endpointsCheck,
  ordersCheck,
];

/** `arcctl doctor`: looks at a live system from outside, and says what to do about what it finds. */
export async function doctor(invocation: Invocation): Promise<ExitCode> {
  const { signal, clock, streams } = invocation;
  await using connection = await connect(invocation);
  const { client } = connection;
  const { gitVersion } = (await getJson(client, '/version', signal)) as { readonly gitVersion?: string };
  const apiService = await findApiService();
  const isStandalone = apiService === 'no such kind';
  const installedIn =
    textOption(invocation, 'installedIn') ??
    (typeof apiService === 'object' ? apiService.spec?.service?.namespace : undefined) ??
    'arc-system';
  const patient: Patient = { client, clock, signal, isStandalone, installedIn };

  const server = isStandalone
    ? `a server of ARC by itself, ${gitVersion ?? 'of an unknown version'}`
    : `a cluster, ${gitVersion ?? 'of an unknown version'}`;
  const findings: CheckedFinding[] = [{ id: 'server', title: 'Server', verdict: 'ok', seen: server }];
  const write = (finding: CheckedFinding): void => void (textOption(invocation, 'output') === 'json' || print(invocation, finding));
  findings.forEach(write);
  for (const check of checks) {
    if (isStandalone && check.inClusters === true) continue;
    const found = await runCheck(check, patient);
    found.forEach(write);
    findings.push(...found);
  }
  const healthy = findings.every(({ verdict }) => verdict !== 'failed');
  if (textOption(invocation, 'output') === 'json') streams.stdout.write(`${JSON.stringify({ healthy, findings }, null, 2)}\n`);
  return healthy ? exitCodes.ok : exitCodes.failure;

  async function findApiService(): Promise<APIService | 'no such kind' | undefined> {
    try {
      await getJson(client, `/apis/${apiServices.group}/${apiServices.version}`, signal);
    } catch (error) {
      if (isStatusReason(error, 'NotFound')) return 'no such kind';
      throw error;
    }
    return await orUndefined(client.get<APIService>(apiServices, { name: apiServiceName }, { signal })).catch(() => undefined);
  }
}

const words = { ok: 'ok', warning: 'warning', failed: 'FAILED', unknown: 'unknown' } as const;

function print({ streams }: Invocation, { verdict, title, seen, remedy }: CheckedFinding): void {
  const style = styleFor(streams.stdout);
  const color = { ok: style.green, warning: style.yellow, failed: style.red, unknown: style.dim }[verdict];
  streams.stdout.write(`${color(words[verdict].padEnd(8))} ${title}: ${escapeControls(seen)}\n`);
  if (remedy !== undefined) streams.stdout.write(`${' '.repeat(9)}${style.dim('->')} ${remedy}\n`);
}
