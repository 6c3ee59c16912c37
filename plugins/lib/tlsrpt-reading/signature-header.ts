/**
 * The header of a message on its way to the verifier of its signatures, which takes all that it gets: signatures beyond a few are left
 * out, and a header that is too long ends the message.
 *
 * @module
 */

export interface HeaderFilter {
  /** What of the message may be passed on now: nothing until its header is complete, everything from then on. */
  filter(bytes: Uint8Array): Uint8Array
  /** What has been held back, at the end of the message. */
  rest(): Uint8Array
}

const LONGEST_HEADER = 256 * 1024
const NOTHING = Buffer.alloc(0)

/** @param most - DKIM signatures that are passed on: the topmost ones, which are the latest */
export function createHeaderFilter(most: number): HeaderFilter {
  let held: Buffer = NOTHING
  let state: 'header' | 'body' | 'too-long' = 'header'
  const rest = (): Buffer => {
    const bytes = withFewerSignatures(held, most)
    held = NOTHING
    return bytes
  }
  return {
    filter: (bytes) => {
      if (state === 'body') return bytes
      if (state === 'too-long') return NOTHING
      const searched = Math.max(0, held.length - 3)
      held = Buffer.concat([held, bytes])
      const end = endOfHeader(held, searched)
      if (end === -1) {
        if (held.length <= LONGEST_HEADER) return NOTHING
        state = 'too-long'
        held = NOTHING
        return NOTHING
      }
      state = 'body'
      const body = held.subarray(end)
      held = held.subarray(0, end)
      return Buffer.concat([rest(), body])
    },
    rest,
  }
}

/** @returns where the empty line behind the header begins; -1: not yet */
function endOfHeader(bytes: Buffer, from: number): number {
  if (bytes[0] === 0x0a || (bytes[0] === 0x0d && bytes[1] === 0x0a)) return 0
  const ends = ['\n\n', '\n\r\n'].map((end) => bytes.indexOf(end, from)).filter((at) => at !== -1)
  return ends.length === 0 ? -1 : Math.min(...ends) + 1
}

function withFewerSignatures(header: Buffer, most: number): Buffer {
  let seen = 0
  // a field goes on in the lines behind it that begin with white space
  const fields = header.toString('latin1').split(/(?<=\n)(?![ \t])/)
  const kept = fields.filter((field) => !/^dkim-signature[ \t]*:/i.test(field) || ++seen <= most)
  return seen <= most ? header : Buffer.from(kept.join(''), 'latin1')
}
