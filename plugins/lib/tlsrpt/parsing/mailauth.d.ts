/** What we use of mailauth's insides: its main module has no way to verify signatures chunk by chunk, nor to compare domains. */
declare module 'mailauth/lib/dkim/dkim-verifier' {
  import type { Writable } from 'node:stream'

  interface VerifierOptions {
    readonly resolver: (name: string, type: string) => Promise<readonly (readonly string[])[]>
    readonly curTime: Date
    readonly minBitLength: number
    readonly rejectRsaSha1: boolean
  }

  export interface VerifierResult {
    readonly signingDomain?: string
    readonly selector?: string
    /** whether the signature has `l=` */
    readonly canonBodyLengthLimited?: boolean
    readonly status: {
      readonly result: string
      readonly comment?: string
      /** whether the record of the key has `t=y` */
      readonly testing?: boolean
      /** what is against the RFC and has been accepted; `identity-domain`: `i=` is not in `d=`, or is not it, where `t=s` asks for that */
      readonly warnings?: readonly string[]
    }
  }

  interface Header {
    readonly parsed: readonly { readonly key: string | null | undefined; readonly line: Buffer }[]
  }

  export class DkimVerifier extends Writable {
    constructor(options: VerifierOptions)
    /** mail addresses, of all From fields */
    readonly headerFrom: readonly string[]
    readonly results: readonly VerifierResult[]
    /** Takes the header when it is complete; a rejection ends the message with an error. */
    messageHeaders(header: Header): Promise<void>
  }
}

declare module 'mailauth/lib/tools' {
  /** The labels that a domain is looked up with. */
  export function toALabel(domain: string): string
  /** Whether one of the domains has the same organizational domain, by the public suffix list. */
  export function getAlignment(fromDomain: string, domains: readonly string[], strict?: boolean): object | false
}
