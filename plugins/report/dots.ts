/**
 * Lines of a message as SMTP has them (RFC 5321 §4.5.2). Haraka's queue keeps a stream as it comes, so its dots must be doubled before.
 *
 * @module
 */

import { Readable } from 'node:stream'

/** @param message - lines that end in LF or CRLF */
export function withDotsDoubled(message: Readable): Readable {
  return Readable.from(doubleDots(message), { objectMode: false })
}

async function* doubleDots(message: Readable): AsyncGenerator<string> {
  let before = '\n'
  for await (const piece of message) {
    const text = String(piece)
    if (text === '') continue
    yield (before === '\n' ? text.replace(/^\./, '..') : text).replace(/\n\./g, '\n..')
    before = text.slice(-1)
  }
}
