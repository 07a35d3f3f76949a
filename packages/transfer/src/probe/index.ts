export { defaultDenyCIDRs, deniedAddresses, loopbackCIDRs } from './denied-addresses.ts';
export { createEndpointProbe } from './probe-endpoint.ts';
export type { EndpointProbeOptions, ProbeFinding, ProbeResult, ProbeTarget } from './probe-endpoint.ts';
