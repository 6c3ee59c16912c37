/** What we use of mailauth's insides: its main module has no way to verify signatures chunk by chunk, nor to compare domains. */
declare module 'mailauth/lib/dkim/dkim-verifier' {
  import type { Writable } from 'node:stream'

  interface VerifierOptions {
    readonly resolver: (name: string, type: string) => Promise<readonly (readonly string[])[]>
    readonly curTime: Date
    readonly minBitLength: number
    readonly rejectRsaSha1: boolean
  }

  interface VerifierResult {
    readonly signingDomain?: string
    readonly selector?: string
    /** whether the signature has `l=` */
    readonly canonBodyLengthLimited?: boolean
    readonly status: { readonly result: string; readonly comment?: string }
  }

  export class DkimVerifier extends Writable {
    constructor(options: VerifierOptions)
    /** mail addresses, of all From fields */
    readonly headerFrom: readonly string[]
    readonly results: readonly VerifierResult[]
  }
}

declare module 'mailauth/lib/tools' {
  /** Whether one of the domains has the same organizational domain, by the public suffix list. */
  export function getAlignment(fromDomain: string, domains: readonly string[], strict?: boolean): object | false
}
