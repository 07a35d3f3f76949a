export { defaultDenyCIDRs, deniedAddresses, loopbackCIDRs } from './denied-addresses.ts';
export { createEndpointProbe } from './probe-endpoint.ts';
export type { ProbeFinding, ProbeResult } from './finding.ts';
export type { EndpointProbeOptions, ProbeTarget } from './probe-endpoint.ts';
