/**
 * The header of a message on its way to the verifier of its signatures, which takes all that it gets, and takes some of it apart in ways
 * that need the square of its length: remote parties write it, and all mail of this process would wait.
 *
 * @module
 */

export interface HeaderFilter {
  /**
   * What of the message may be passed on now: nothing until its header is complete, everything from then on. Undefined: the header is
   * longer than any, or none of RFC 5322, and nothing of this message may be passed on.
   */
  filter(bytes: Uint8Array): Uint8Array | undefined
  /** What has been held back, at the end of the message; undefined as above. */
  rest(): Uint8Array | undefined
}

/** A field as the verifier has taken it out of the header. */
export interface HeaderField {
  /** in lower case */
  readonly key: string | null | undefined
  readonly line: Buffer
}

const LONGEST_HEADER = 64 * 1024
/** As many as Haraka itself looks at. Lines that are no field by themselves take time squared. */
const MOST_LINES = 1000
/** Bytes, of a field that is taken apart. Signatures with RSA keys of 4096 bits need less than half of it. */
const LONGEST_FIELD = 4096
const NOTHING = Buffer.alloc(0)
const [LINE_FEED, RETURN] = [0x0a, 0x0d] as const

export function createHeaderFilter(): HeaderFilter {
  let held: Buffer = NOTHING
  let state: 'header' | 'body' | 'unfit' = 'header'
  const rest = (): Buffer | undefined => {
    const header = held
    held = NOTHING
    const isBounded = header.length <= LONGEST_HEADER && linesIn(header) <= MOST_LINES && !hasBareReturns(header)
    if (!isBounded) state = 'unfit'
    return isBounded ? header : undefined
  }
  return {
    filter: (bytes) => {
      if (state === 'body') return bytes
      if (state === 'unfit') return undefined
      const searched = Math.max(0, held.length - 3)
      held = Buffer.concat([held, bytes])
      const end = endOfHeader(held, searched)
      if (end === -1) return held.length <= LONGEST_HEADER ? NOTHING : rest()
      state = 'body'
      const body = held.subarray(end)
      held = held.subarray(0, end)
      const header = rest()
      return header && Buffer.concat([header, body])
    },
    rest,
  }
}

/** Fields that the verifier takes apart besides signatures. */
const TAKEN_APART: ReadonlySet<HeaderField['key']> = new Set(['from', 'return-path', 'content-type'])

/**
 * The fields that may be looked into: without signatures beyond the topmost `most`, which are the latest, without those that are longer
 * than any, and without the seals of those who have passed the message on (ARC), which say nothing about who has written it.
 *
 * @throws Error where another field that is taken apart is longer than any
 */
export function boundedFields<Field extends HeaderField>(fields: readonly Field[], most: number): readonly Field[] {
  let signatures = 0
  return fields.filter(({ key, line }) => {
    if (key?.startsWith('arc-') === true) return false
    if (key === 'dkim-signature') return line.length <= LONGEST_FIELD && ++signatures <= most
    if (TAKEN_APART.has(key) && line.length > LONGEST_FIELD) throw new Error(`too long a field: ${key}`)
    return true
  })
}

/** @returns where the empty line behind the header begins; -1: not yet */
function endOfHeader(bytes: Buffer, from: number): number {
  if (bytes[0] === LINE_FEED || (bytes[0] === RETURN && bytes[1] === LINE_FEED)) return 0
  const ends = ['\n\n', '\n\r\n'].map((end) => bytes.indexOf(end, from)).filter((at) => at !== -1)
  return ends.length === 0 ? -1 : Math.min(...ends) + 1
}

function linesIn(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) lines++
  return lines
}

/** RFC 5322 §2.2 has none; a run of them takes time squared. */
function hasBareReturns(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(RETURN); at !== -1; at = bytes.indexOf(RETURN, at + 1))
    if (bytes[at + 1] !== LINE_FEED) return true
  return false
}
