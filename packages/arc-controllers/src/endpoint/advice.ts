import { referenceName } from '@arc/api/arc';
import type { Endpoint } from '@arc/api/arc';
import type { EndpointFinding, EndpointFindings } from './probe.ts';

const adviceByReason: Readonly<Record<string, string>> = {
  TargetDenied: 'Orders may use it all the same; --probe-deny-cidrs says where no probe goes',
  DNSFailure: 'check the host in spec.remoteURL',
  ConnectionRefused: 'check host and port in spec.remoteURL, and that it runs',
  Timeout: 'check host and port in spec.remoteURL, and the firewalls on the way',
  TLSError: 'put the authority that signed its certificate into spec.tls.ca, and the name it is for into spec.tls.serverName',
  NotFound: 'check the path in spec.remoteURL',
};

/** What a probe found, with what can be done about it, said once. */
export function advised({ reachable, authenticated }: EndpointFindings, { spec }: Endpoint): EndpointFindings {
  const secret = JSON.stringify(referenceName(spec?.secretRef) ?? '');
  return {
    reachable: followedBy(reachable, Object.hasOwn(adviceByReason, reachable.reason) ? adviceByReason[reachable.reason] : undefined),
    authenticated: followedBy(authenticated, authenticated.status === 'False' ? `put the right ones into secret ${secret}` : undefined),
  };
}

function followedBy(finding: EndpointFinding, advice: string | undefined): EndpointFinding {
  return advice === undefined ? finding : { ...finding, message: `${finding.message}: ${advice}` };
}
