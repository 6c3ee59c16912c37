/**
 * A stream, line by line.
 *
 * @module
 */
import type { Duplex } from 'node:stream'

export interface LineReader {
  /** the next line without its end; undefined: the client is gone */
  readonly next: () => Promise<string | undefined>
  /** Reads no further: what comes now belongs to TLS. */
  readonly release: () => void
}

/** Reads lines that end in LF or CRLF, one character for each byte. */
export function readLines(stream: Duplex): LineReader {
  let received = ''
  let ended = false
  let waiting: (() => void) | undefined
  const wake = (): void => waiting?.()
  const onData = (bytes: Buffer): void => {
    received += bytes.toString('latin1')
    wake()
  }
  const onEnd = (): void => {
    ended = true
    wake()
  }
  stream.on('data', onData).on('end', onEnd).on('close', onEnd)
  return {
    async next() {
      for (;;) {
        const end = received.indexOf('\n')
        if (end >= 0) {
          const line = received.slice(0, end).replace(/\r$/, '')
          received = received.slice(end + 1)
          return line
        }
        if (ended) return undefined
        await new Promise<void>((resolve) => (waiting = resolve))
      }
    },
    release() {
      stream.pause()
      stream.off('data', onData).off('end', onEnd).off('close', onEnd)
      if (received !== '') stream.unshift(Buffer.from(received, 'latin1'))
    },
  }
}
