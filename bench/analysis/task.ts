/**
 * What a side is asked, and what it answers.
 *
 * @module
 */

export interface Task {
  readonly side: 'report' | 'JSON.parse' | 'message' | 'signed message'
  /** the bytes to be read */
  readonly file: string
  readonly rounds: number
  /** `k=` and `p=` of the key that has signed the message */
  readonly keyRecord: string
}

export interface Taken {
  /** for all rounds */
  readonly seconds: number
  /** what one turn of the event loop took at most: milliseconds of CPU time */
  readonly longestTurn: number
  /** resident set, in bytes above what it was before */
  readonly memory: number
}
