import { isIPv4, isIPv6 } from 'node:net';
import { ArcError } from '@arc/kernel';
import { implicit, objectIdentifier, sequence, set, utf8String } from './der.ts';

const oid = { commonName: '2.5.4.3', organization: '2.5.4.10' } as const;

/** A distinguished name: one CN, and one O per organization, each in a set of its own as Go and OpenSSL write them. */
export function distinguishedName(commonName: string, organizations: readonly string[] = []): Buffer {
  const attribute = (type: string, value: string): Buffer => set(sequence(objectIdentifier(type), utf8String(value)));
  return sequence(...organizations.map((name) => attribute(oid.organization, name)), attribute(oid.commonName, commonName));
}

/**
 * The SEQUENCE of a subjectAltName extension (RFC 5280 section 4.2.1.6).
 *
 * @throws ArcError `InvalidSubjectName` for a DNS name or address that cannot be put into a certificate
 */
export function alternativeNames(names: readonly string[], addresses: readonly string[]): Buffer {
  return sequence(
    ...names.map((name) => implicit(2, Buffer.from(checkedDnsName(name), 'latin1'))),
    ...addresses.map((address) => implicit(7, addressOctets(address))),
  );
}

const dnsName = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9])?)*$/i;

function checkedDnsName(name: string): string {
  if (name.length <= 253 && dnsName.test(name)) return name;
  throw new ArcError('InvalidSubjectName', `${JSON.stringify(name)} is not a DNS name`, {
    hint: 'Use letters, digits, "-" and "."; write international names in their xn-- form and IP addresses as addresses.',
  });
}

/** The 4 or 16 octets of an IP address in network order. */
export function addressOctets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (isIPv6(address) && !address.includes('%')) return Buffer.from(groupsOf(address).flatMap((group) => [group >> 8, group & 0xff]));
  throw new ArcError('InvalidSubjectName', `${JSON.stringify(address)} is not an IP address`, {
    hint: 'Write IPv4 as 127.0.0.1 and IPv6 as ::1, without a zone.',
  });
}

function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const left = hexGroups(head);
  if (tail === undefined) return left;
  const right = hexGroups(tail);
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function hexGroups(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
