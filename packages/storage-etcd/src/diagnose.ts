import { messageOf } from '@arc/kernel';
import type { Finding } from '@arc/storage';
import { dialectOf } from './dialect.ts';
import { openEndpoints } from './client/endpoints.ts';
import { EtcdClient } from './client/etcd-client.ts';
import type { EtcdStoreOptions } from './etcd-store.ts';
import { alarms, status, type StatusResponse } from './wire/server.ts';

/** etcd's own, where `--quota-backend-bytes` does not say otherwise. */
const defaultQuota = 2 * 1024 ** 3;

/** How far a quota may be filled before that is a problem. */
const fillLimit = 0.8;

/** What one member says. */
export interface EtcdMember extends StatusResponse {
  /** As given. */
  readonly endpoint: string;
}

/**
 * Asks each of the endpoints, and whether they agree.
 *
 * @throws StorageError `Unavailable` when no member answers, or the options cannot be used
 */
export async function diagnoseEtcd(options: EtcdStoreOptions): Promise<{ members: readonly EtcdMember[]; findings: readonly Finding[] }> {
  const members: EtcdMember[] = [];
  const findings: Finding[] = [];
  let failure: unknown;
  for (const endpoint of options.endpoints) {
    try {
      const { state, raised } = await ask(endpoint, options);
      members.push({ endpoint, ...state });
      for (const alarm of raised) if (!findings.some(({ message }) => message === alarm.message)) findings.push(alarm);
    } catch (error) {
      failure = error;
      findings.push(problem(messageOf(error), 'Start that member, or remove it from the cluster and the URL.'));
    }
  }
  if (members.length === 0) throw failure;
  // Kine has no leader and no quota; what fills up is the database behind it.
  const ofEtcd = members.filter((member) => dialectOf(member) === 'etcd');
  return { members, findings: [...findings, ...disagreements(ofEtcd), ...ofEtcd.flatMap(sizeFindings)] };
}

async function ask(endpoint: string, { tls, credentials, timeoutMs = 5_000, signal }: EtcdStoreOptions) {
  const client = new EtcdClient(await openEndpoints([endpoint], tls), { credentials, timeoutMs });
  try {
    const state = await client.call(status, undefined, signal);
    const raised = dialectOf(state) === 'kine' ? [] : await client.call(alarms, undefined, signal);
    return { state, raised: raised.map(alarmFinding) };
  } finally {
    client.close();
  }
}

function alarmFinding({ memberId, alarm }: { readonly memberId: string; readonly alarm: number }): Finding {
  const [name, hint] =
    alarm === 1
      ? ['NOSPACE: it accepts no writes', 'Compact and defragment etcd, or raise --quota-backend-bytes; then: etcdctl alarm disarm']
      : alarm === 2
        ? ['CORRUPT: its data differs from that of the others', 'Replace the member, or restore a snapshot of etcd.']
        : [`number ${alarm}`, "Look it up in etcd's documentation."];
  return { severity: 'problem', check: 'alarm', message: `member ${memberId} has raised the alarm ${name}`, hint };
}

function disagreements(members: readonly EtcdMember[]): readonly Finding[] {
  const [first] = members;
  const differ = members.find(({ leader, raftTerm }) => leader !== first?.leader || raftTerm !== first.raftTerm);
  const lone = members.find(({ leader }) => leader === '0');
  return [
    ...(lone === undefined ? [] : [problem(`${lone.endpoint} has no leader`, 'Check that most of the members run and reach each other.')]),
    ...(differ === undefined || lone !== undefined
      ? []
      : [
          problem(
            `${first?.endpoint ?? ''} and ${differ.endpoint} do not agree on leader and term`,
            'Run it again: an election may have been going on. If it stays, the endpoints are of different clusters, or the network is split.',
          ),
        ]),
  ];
}

function sizeFindings({ endpoint, dbSize, quota }: EtcdMember): readonly Finding[] {
  const limit = quota === 0 ? defaultQuota : quota;
  if (dbSize < limit * fillLimit) return [];
  const said = quota === 0 ? 'what etcd takes unless told otherwise' : 'its quota';
  return [
    {
      severity: quota === 0 ? 'information' : 'problem',
      check: 'size',
      message: `the database of ${endpoint} has ${dbSize} bytes, ${Math.round((100 * dbSize) / limit)} % of ${said}`,
      hint: 'Defragment it, or raise --quota-backend-bytes.',
    },
  ];
}

function problem(message: string, hint: string): Finding {
  return { severity: 'problem', check: 'member', message, hint };
}
