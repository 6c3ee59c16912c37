/**
 * Bytes that are looked at before they are taken, and taken in the amounts that are wanted.
 *
 * @module
 */

export interface Input {
  /** The next `length` bytes, or as many as there are; they stay where they are. */
  peek(length: number): Promise<Buffer>
  /** The next `length` bytes, or as many as there are. */
  take(length: number): Promise<Buffer>
  /** The next bytes, in whatever amount they have come; undefined at the end. */
  next(): Promise<Buffer | undefined>
  /** Puts bytes back that have been taken last. */
  giveBack(bytes: Buffer): void
  /** All that is left. */
  rest(): AsyncGenerator<Buffer, void, undefined>
  /** Nothing more is wanted of the source. */
  stop(): void
}

export function createInput(source: AsyncIterable<Uint8Array>): Input {
  const chunks = source[Symbol.asyncIterator]()
  let seen: Buffer = Buffer.alloc(0)

  const next = async (): Promise<Buffer | undefined> => {
    if (seen.length > 0) {
      const bytes = seen
      seen = Buffer.alloc(0)
      return bytes
    }
    for (;;) {
      const result = await chunks.next()
      if (result.done === true) return undefined
      const { buffer, byteOffset, length } = result.value
      if (length > 0) return Buffer.from(buffer, byteOffset, length)
    }
  }
  const giveBack = (bytes: Buffer): void => {
    seen = seen.length === 0 ? bytes : Buffer.concat([bytes, seen])
  }
  const peek = async (length: number): Promise<Buffer> => {
    const parts: Buffer[] = []
    let found = 0
    while (found < length) {
      const bytes = await next()
      if (bytes === undefined) break
      parts.push(bytes)
      found += bytes.length
    }
    giveBack(parts.length === 1 ? (parts[0] ?? seen) : Buffer.concat(parts))
    return seen.subarray(0, length)
  }

  return {
    peek,
    take: async (length) => {
      const taken = await peek(length)
      seen = seen.subarray(taken.length)
      return taken
    },
    next,
    giveBack,
    rest: async function* () {
      for (let bytes = await next(); bytes !== undefined; bytes = await next()) yield bytes
    },
    stop: () => {
      chunks.return?.().catch(() => undefined)
    },
  }
}
