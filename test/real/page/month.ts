/**
 * What others report in a month about the mail server of `week.ts`.
 *
 * @module
 */
import { createOursTest, type ReceivedPolicy } from '../../../dist/lib/tlsrpt/parsing/index.js'
import { keep } from '../../../dist/lib/tlsrpt/received/index.js'
import { policy, report } from '../../lib/tlsrpt/parsing/corpus/specimen.ts'
import { DAY, HOUR, MINUTE, value, type Stores } from './stores.ts'
import { dayStart, dice } from './week.ts'

/** A month of reports: a certificate that expired, a policy host that is down, a domain of which nobody has told for weeks. */
export async function writeReceived({ received }: Stores, now: number): Promise<void> {
  const isOurs = createOursTest(['example.net', 'example.com'])
  const roll = dice(11)
  const write = async (ago: number, hour: number, organization: string, signer: string, one: ReceivedPolicy) => {
    const start = dayStart(now, ago)
    const id = `${start}.${signer}.${one.domain ?? ''}`
    const said = report({ organization, contact: `tls@${signer}` }, id, [one], { start, end: start + DAY - 1000 })
    const receivedAt = Math.min(start + DAY + hour * HOUR, now - hour * MINUTE)
    await value(
      received.add(keep({ report: said, notes: [], receivedAt, source: 'mail', signedBy: signer }, isOurs, true)),
    )
  }
  const senders = [
    ['Google Inc.', 'google.com'],
    ['Microsoft Corporation', 'microsoft.com'],
    ['Posthaus eG', 'posthaus.example'],
    ['Nordlicht Mail', 'nordlicht.example'],
  ] as const
  for (let ago = 1; ago <= 30; ago++) {
    for (const [index, [organization, signer]] of senders.entries()) {
      const failures = index < 2 && ago <= 4 ? 3 + Math.floor(20 * roll()) : 0
      const details = [
        {
          type: 'certificate-expired',
          receivingHost: 'mx2.example.net',
          receivingAddress: '198.51.100.7',
          count: Math.ceil(failures * 0.8),
        },
        { type: 'starttls-not-supported', receivingHost: 'mx1.example.net', count: Math.floor(failures * 0.2) },
      ].filter(({ count }) => count > 0)
      const successes = Math.floor(200 * roll())
      await write(
        ago,
        index + 2,
        organization,
        signer,
        policy('sts', { domain: 'example.net', successes, failures, details }),
      )
    }
  }
  for (const ago of [2, 3]) {
    const details = [{ type: 'sts-policy-fetch-error', count: 6 }]
    await write(ago, 6, 'Mail.Ru', 'corp.mail.ru', policy('sts', { domain: 'example.net', failures: 6, details }))
  }
  await write(1, 7, 'Quiet Post', 'quiet.example', policy('sts', { domain: 'example.net', successes: 9, failures: 4 }))
  for (let ago = 20; ago <= 28; ago++) {
    const details = [{ type: 'tlsa-invalid', receivingHost: 'mx.example.com', count: 5 }]
    const tlsa = policy('tlsa', {
      domain: 'mx.example.com',
      successes: 20,
      failures: ago < 24 ? 5 : 0,
      details: ago < 24 ? details : [],
    })
    await write(ago, 3, 'Microsoft Corporation', 'microsoft.com', tlsa)
  }
  const forged = report({ organization: 'Somebody', contact: 'x@nowhere.example' }, 'forged', [
    policy('sts', { domain: 'example.net', failures: 100_000 }),
  ])
  const arrival = { report: forged, notes: [], receivedAt: now - DAY, source: 'mail', signedBy: undefined } as const
  await value(received.add(keep(arrival, isOurs, true)))
}
