import { lookup as dnsLookup, type LookupAddress, type LookupAllOptions } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { TransferError } from '../transfer-error.ts';

/** How far inside a network an address lies. `forbidden` is never the address of a registry. */
export type AddressZone = 'public' | 'private' | 'loopback' | 'forbidden';

const depth: Readonly<Record<AddressZone, number>> = { public: 0, private: 1, loopback: 2, forbidden: 3 };

const forbidden = blockList(
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 128],
  ['fe80::', 10],
  ['ff00::', 8],
  ['fd00:ec2::254', 128],
);
const loopback = blockList(['127.0.0.0', 8], ['::1', 128]);
const inner = blockList(['10.0.0.0', 8], ['172.16.0.0', 12], ['192.168.0.0', 16], ['100.64.0.0', 10], ['fc00::', 7]);

/** Classifies an IP address; IPv4 inside IPv6 counts as the IPv4 address. */
export function zoneOf(address: string): AddressZone {
  const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
  if (loopback.check(address, family)) return 'loopback';
  if (forbidden.check(address, family)) return 'forbidden';
  return inner.check(address, family) ? 'private' : 'public';
}

/** A URL that a server gave us may not lead further inside than the server itself lies. */
export function mayLeadTo(from: AddressZone, address: string): boolean {
  return depth[zoneOf(address)] <= Math.min(depth[from], depth.loopback);
}

/** Finds all addresses of a name, as `dns.lookup` does. */
export type NameResolver = (
  hostname: string,
  options: LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/** A lookup that hides addresses further inside than `from`, checked on what is dialled (so that DNS cannot trick it). */
export function guardedLookup(from: AddressZone, resolve: NameResolver = dnsLookup): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const allowed = addresses.filter(({ address }) => mayLeadTo(from, address));
      const [first] = allowed;
      if (first === undefined) callback(refusedAddress(hostname), []);
      else if (options.all === true) callback(null, allowed);
      else callback(null, first.address, first.family);
    });
  };
}

export function refusedAddress(hostname: string): TransferError {
  return new TransferError(
    'UnsafeURL',
    `the registry redirects to ${hostname}, which lies further inside the network than the registry itself`,
    {
      hint: 'If that is intended, add the host to the trusted hosts of the endpoint.',
    },
  );
}

/** Behind a proxy nobody sees what a name resolves to, so only names that were written down are followed. */
export function unseenAddress(url: URL): TransferError {
  return new TransferError('UnsafeURL', `the registry redirects to ${url.host}, whose address cannot be checked through the proxy`, {
    hint: 'If that is intended, add the host to the trusted hosts of the endpoint.',
  });
}

function blockList(...subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of subnets) list.addSubnet(address, prefix, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return list;
}
