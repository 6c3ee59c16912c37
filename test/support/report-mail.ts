/**
 * A mail with a TLS report, taken apart as far as tests look at it.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { gunzipSync } from 'node:zlib'

export interface Part {
  /** unfolded, by name in lower case; of several fields, the last one */
  readonly header: Readonly<Record<string, string>>
  readonly body: string
}

export interface ReportMail extends Part {
  /** the names of the fields, in lower case, in their order */
  readonly fields: readonly string[]
  readonly parts: readonly Part[]
  readonly fileName: string | undefined
  /** the report as it was sent */
  readonly file: Buffer
  readonly report: unknown
}

/** Takes a mail apart. Fails where it is no multipart with two parts, the second of which is gzip and JSON. */
export function readReportMail(message: string): ReportMail {
  const whole = readPart(message)
  const boundary = /boundary="?([^";]+)"?/.exec(whole.header['content-type'] ?? '')?.[1] ?? ''
  const pieces = whole.body.split(new RegExp(`^--${boundary}(?:--)?\r\n`, 'm'))
  assert.equal(pieces.length, 4, 'a preamble, two parts, an epilogue')
  const parts = pieces.slice(1, 3).map(readPart)
  const [, attachment] = parts
  const file = Buffer.from(attachment?.body ?? '', 'base64')
  const fileName = /filename="([^"]*)"/.exec(attachment?.header['content-disposition'] ?? '')?.[1]
  const fields = headerOf(message).map(([name]) => name)
  return { ...whole, fields, parts, fileName, file, report: JSON.parse(gunzipSync(file).toString()) }
}

function readPart(text: string): Part {
  return { header: Object.fromEntries(headerOf(text)), body: text.slice(text.indexOf('\r\n\r\n') + 4) }
}

function headerOf(text: string): [string, string][] {
  return text
    .slice(0, text.indexOf('\r\n\r\n'))
    .split(/\r\n(?![ \t])/)
    .map((field) => {
      const colon = field.indexOf(':')
      return [
        field.slice(0, colon).toLowerCase(),
        field
          .slice(colon + 1)
          .replace(/\r\n(?=[ \t])/g, '')
          .trim(),
      ]
    })
}
