/**
 * A process of its own: the names and the policy hosts that both sides ask. It says so when it is ready.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { createCertificates } from '../../test/internet/certificates.ts'
import { startDns } from '../../test/internet/dns.ts'
import { startPolicyHosts } from '../../test/internet/policy-host.ts'
import { DOMAINS, WARM_UP } from './names.ts'

const TTL = 3600
const NETWORK = '127.0.2'

const [rootFile = ''] = process.argv.slice(2)
const certificates = createCertificates()
writeFileSync(rootFile, certificates.caPem)
const dns = await startDns(53)
const policyHosts = await startPolicyHosts(NETWORK, 443)
for (const domain of [...DOMAINS, ...WARM_UP]) {
  const host = `mta-sts.${domain}`
  const text = `version: STSv1\r\nmode: enforce\r\nmx: mx.${domain}\r\nmx: *.mail.${domain}\r\nmax_age: 604800\r\n`
  dns.declare(`_mta-sts.${domain}`, { TXT: ['v=STSv1; id=20260601T000000;'], ttl: TTL })
  dns.declare(host, { A: [policyHosts.address], ttl: TTL })
  policyHosts.serve(host, certificates.identity(host, 'leaf'), { text })
}
process.once('disconnect', () => process.exit()) // nobody is left who could ask
process.send?.('ready')
