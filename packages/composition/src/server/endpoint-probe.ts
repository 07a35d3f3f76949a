import type { EndpointProbe } from '@arc/arc-controllers';
import type { Clock } from '@arc/kernel';
import { createEndpointProbe, defaultDenyCIDRs, deniedAddresses, loopbackCIDRs } from '@arc/transfer/probe';

/**
 * How Endpoints are probed; undefined when they are not to be.
 *
 * @param host on which the API server listens
 * @throws ArcError `InvalidConfiguration`
 */
export function endpointProbe(
  options: { readonly endpointProbes?: boolean; readonly probeDenyCIDRs?: readonly string[] },
  host: string,
  clock: Clock,
): EndpointProbe | undefined {
  if (options.endpointProbes === false) return undefined;
  return createEndpointProbe({ denyCIDRs: options.probeDenyCIDRs ?? deniedBeside(host), clock });
}

/**
 * Whoever reaches a server that listens on loopback is on this machine, and needs no probe to see what else listens there; registries to
 * try things out with do.
 */
export function deniedBeside(host: string): readonly string[] {
  const isLocal = host === 'localhost' || deniedAddresses(loopbackCIDRs).has(host);
  return isLocal ? defaultDenyCIDRs.filter((cidr) => !loopbackCIDRs.includes(cidr)) : defaultDenyCIDRs;
}
