/** What we use of dns-packet 5.6.1, which has no types of its own. */
declare module 'dns-packet' {
  interface Question {
    readonly name: string
    readonly type: string
    readonly class?: string
  }

  interface OptRecord {
    readonly type: 'OPT'
    readonly name: '.'
    readonly udpPayloadSize: number
    readonly flags: number
  }

  interface QueryPacket {
    readonly type: 'query'
    readonly id: number
    readonly flags: number
    readonly questions: Question[]
    readonly additionals: OptRecord[]
  }

  export const RECURSION_DESIRED: number
  export const AUTHENTIC_DATA: number
  export const CHECKING_DISABLED: number
  export const DNSSEC_OK: number

  export function encode(packet: QueryPacket): Buffer

  export const name: {
    decode: {
      /** With `mail`, dots inside of a label are escaped. Throws where the name is malformed. */
      (message: Buffer, offset: number, options?: { readonly mail?: boolean }): string
      /** how many bytes the name took that was decoded last */
      bytes: number
    }
  }
}
