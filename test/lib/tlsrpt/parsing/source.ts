/**
 * Bytes that come in chunks.
 *
 * @module
 */

export async function* chunked(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  await Promise.resolve()
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size)
}
