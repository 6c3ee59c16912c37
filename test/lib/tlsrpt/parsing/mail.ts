/**
 * Messages with reports, as senders build them.
 *
 * @module
 */

/** A part: its header fields and its body, encoded already. */
export interface MailPart {
  readonly header: Readonly<Record<string, string>>
  readonly body: string | Buffer
}

export function base64(content: Buffer): string {
  return content.toString('base64').replace(/.{76}/g, '$&\r\n')
}

/** Quoted-printable, with every octet encoded that could need it, and soft line ends (RFC 2045 §6.7). */
export function quotedPrintable(content: Buffer): string {
  const encoded = content
    .toString('latin1')
    .replace(/[^\x21-\x3c\x3e-\x7e]/g, (octet) => `=${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`)
  return encoded.replace(/(?:=..|[^=]){1,24}/g, '$&=\r\n')
}

/** A report in a part as RFC 8460 §5.3 has it. */
export function reportPart(content: Buffer, more: Readonly<Record<string, string>> = {}): MailPart {
  const type = content[0] === 0x1f ? 'application/tlsrpt+gzip' : 'application/tlsrpt+json'
  return {
    header: {
      'Content-Type': type,
      'Content-Disposition': 'attachment; filename="sender.example!example.org!1790726400!1790812799.json.gz"',
      'Content-Transfer-Encoding': 'base64',
      ...more,
    },
    body: base64(content),
  }
}

export const textPart: MailPart = {
  header: { 'Content-Type': 'text/plain; charset=us-ascii' },
  body: 'This is an aggregate TLS report from sender.example\r\n',
}

export function multipart(
  parts: readonly MailPart[],
  subtype = 'report; report-type="tlsrpt"',
  boundary = 'outer',
): MailPart {
  return {
    header: { 'Content-Type': `multipart/${subtype}; boundary="${boundary}"` },
    body: Buffer.concat([
      ...parts.flatMap((part) => [Buffer.from(`--${boundary}\r\n`), partBytes(part), Buffer.from('\r\n')]),
      Buffer.from(`--${boundary}--\r\n`),
    ]),
  }
}

/** A message: the header of the mail and that of its only part. */
export function message(part: MailPart, header: Readonly<Record<string, string>> = {}): Buffer {
  const fields = {
    From: 'TLS Report <noreply@sender.example>',
    To: 'tls@example.org',
    Subject: 'Report Domain: example.org Submitter: sender.example Report-ID: <1@sender.example>',
    'TLS-Report-Domain': 'example.org',
    'TLS-Report-Submitter': 'sender.example',
    'MIME-Version': '1.0',
    ...header,
    ...part.header,
  }
  return partBytes({ ...part, header: fields })
}

function partBytes({ header, body }: MailPart): Buffer {
  const fields = Object.entries(header).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`${fields.join('')}\r\n`), Buffer.from(body)])
}
