import { ArcError } from '@arc/kernel';
import { BlockList, isIP } from 'node:net';

/** This machine, as it sees itself. */
export const loopbackCIDRs: readonly string[] = ['127.0.0.0/8', '::1/128'];

/** Where no probe goes unless told: this machine, its neighbours on the link, the metadata services of clouds. */
export const defaultDenyCIDRs: readonly string[] = [
  ...loopbackCIDRs,
  '0.0.0.0/8',
  '::/128',
  '169.254.0.0/16',
  'fe80::/10',
  'fd00:ec2::254/128',
];

export interface DeniedAddresses {
  has(address: string): boolean;
}

/** @throws ArcError `InvalidConfiguration` for what is not CIDR notation */
export function deniedAddresses(cidrs: readonly string[] = defaultDenyCIDRs): DeniedAddresses {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', prefix = '', ...more] = cidr.split('/');
    const version = isIP(address);
    const bits = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    if (version === 0 || more.length > 0 || !(bits <= (version === 6 ? 128 : 32))) {
      throw new ArcError('InvalidConfiguration', `${JSON.stringify(cidr)} is not a network`, {
        hint: 'Use CIDR notation such as 10.0.0.0/8.',
      });
    }
    list.addSubnet(address, bits, version === 6 ? 'ipv6' : 'ipv4');
  }
  // IPv4 inside IPv6 counts as the IPv4 address it is; Node's list knows that.
  return { has: (address) => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4') };
}
