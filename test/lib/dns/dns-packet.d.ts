/** What the tests use of dns-packet beyond the product: whole messages, read and written. */
declare module 'dns-packet' {
  interface PacketRecord {
    readonly name: string
    readonly type: string
    readonly class?: string
    readonly ttl?: number
    readonly data?: unknown
    readonly udpPayloadSize?: number
    readonly extendedRcode?: number
    readonly flags?: number
    readonly flag_do?: boolean
    readonly options?: readonly { readonly code: number; readonly data: Buffer }[]
  }

  interface Packet {
    readonly type: 'query' | 'response'
    readonly id: number
    readonly flags: number
    readonly questions: readonly { readonly name: string; readonly type: string; readonly class?: string }[]
    readonly answers: readonly PacketRecord[]
    readonly authorities: readonly PacketRecord[]
    readonly additionals: readonly PacketRecord[]
  }

  export function encode(packet: Packet): Buffer
  export function decode(message: Buffer): Packet
}
