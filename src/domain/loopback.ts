/** Which host names and addresses are those of this machine alone. */

const IPV4_LOOPBACK = /^127(\.\d{1,3}){3}$/;

export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || IPV4_LOOPBACK.test(name);
}
