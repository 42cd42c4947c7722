/** Recognises host names and addresses that only this machine can reach. */
import { BlockList, isIP } from 'node:net';

const ADDRESSES = new BlockList();
ADDRESSES.addSubnet('127.0.0.0', 8, 'ipv4');
ADDRESSES.addAddress('::1', 'ipv6');

/** @param host a name or an address in lower case, without brackets and port; IPv4 inside IPv6 counts as IPv4 */
export function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host === 'localhost' || /[^.]\.localhost$/.test(host); // RFC 6761, section 6.3
  if (version === 4) return host.startsWith('127.'); // asked once a request: a BlockList makes objects
  return ADDRESSES.check(host, 'ipv6');
}
