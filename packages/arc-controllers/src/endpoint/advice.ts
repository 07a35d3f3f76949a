import { referenceName } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import type { EndpointFinding } from './probe.ts';

const adviceByReason: Readonly<Record<string, string>> = {
  TargetDenied: 'allow it with --probe-deny-cidrs; Orders may use it all the same',
  DNSFailure: 'check the host in spec.remoteURL',
  ConnectionRefused: 'check host and port in spec.remoteURL, and that it runs',
  Timeout: 'check host and port in spec.remoteURL, and the firewalls on the way',
  TLSError: 'put the authority that signed its certificate under ca.crt into the Secret',
  NotFound: 'check the path in spec.remoteURL',
};

/** The finding of a probe with what can be done about it. */
export function advised(finding: EndpointFinding, { spec }: Endpoint): EndpointFinding {
  if (finding.status === 'True') return finding;
  const secret = JSON.stringify(referenceName(spec?.secretRef) ?? '');
  const advice = finding.reason === 'Unauthorized' ? `put the right ones into secret ${secret}` : adviceOf(finding.reason);
  return advice === undefined ? finding : { ...finding, message: `${finding.message}: ${advice}` };
}

function adviceOf(reason: string): string | undefined {
  return Object.hasOwn(adviceByReason, reason) ? adviceByReason[reason] : undefined;
}
