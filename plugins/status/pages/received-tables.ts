/**
 * Which of our hosts fails, how, since when, and who reports it.
 *
 * @module
 */

import type { FailureView } from '../../views'
import { html, type Html, type Part } from '../html'
import { counted, day, failed, said, table, type Context } from './parts'

/** What a result type means to us, and whose turn it is (RFC 8460 §4.3). */
const WHAT_TO_DO: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'starttls-not-supported':
      'The host did not offer STARTTLS. Is it switched off, or taken away by a firewall before it?',
    'certificate-host-mismatch': 'The certificate has another name than the MX record. Have one made for that name.',
    'certificate-expired': 'Renew the certificate of this host, and have the mail server load it.',
    'certificate-not-trusted':
      'No known authority vouches for the certificate. Is the intermediate certificate sent along?',
    'validation-failure': 'TLS failed in another way. What stands in brackets is the word of the sender.',
    'tlsa-invalid': 'The certificate matches none of the TLSA records. Publish the record of the new key.',
    'dnssec-invalid': 'The DNSSEC signatures of the zone do not verify. Ask whoever signs it.',
    'dane-required': 'The sender insists on DANE, and the host has no TLSA record that it can use.',
    'sts-policy-fetch-error': 'The MTA-STS policy could not be fetched. Is the web server of mta-sts up?',
    'sts-policy-invalid': 'The MTA-STS policy was fetched and has a mistake.',
    'sts-webpki-invalid': 'The certificate of the web server of mta-sts is not valid.',
    'without-details': 'The sender tells no more. Look for what others say of the same days.',
  }),
)

export function failureTable(failures: readonly FailureView[], { now }: Context): Html {
  return table(
    'What failed at our hosts, the most frequent first',
    [
      {
        head: 'Host',
        cell: ({ host, domain }) =>
          host === null ? html`<span class="faint">of ${said(domain, 120)}</span>` : said(host, 120),
      },
      { head: 'Failures', kind: 'number', cell: (way) => failed(way.count) },
      {
        head: 'How',
        kind: 'why',
        cell: ({ result, reason, policyType, domain }) =>
          html`<strong>${said(result, 100)}</strong
            >${reason !== null && html` (${said(reason, 100)})`}<br />${said(policyType, 30)} policy of
            ${said(domain, 120)}${advice(result)}`,
      },
      { head: 'Since', kind: 'when', cell: ({ since }) => since && day(since, now) },
      { head: 'Until', kind: 'when', cell: ({ until }) => until && day(until, now) },
      {
        head: 'Reported by',
        cell: ({ reporters }) =>
          html`${said(reporters.slice(0, 3).join(', '), 200)}${reporters.length > 3 && ` and ${counted(reporters.length - 3, 'other')}`}`,
      },
    ],
    failures,
  )
}

/** The result is a stranger's word. */
function advice(result: string): Part {
  const text = WHAT_TO_DO.get(result)
  return text !== undefined && html`<br /><span class="faint">${text}</span>`
}
