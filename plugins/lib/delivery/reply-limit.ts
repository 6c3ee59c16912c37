/**
 * How much a server may say in a reply, and how long it may take to say it.
 *
 * An idle timer does not end a server that sends an octet now and then, and core keeps all octets until they make a
 * line. Without a limit such a server holds a place in the queue for ever, and fills the memory.
 *
 * @module
 */

/** In octets: a hundred lines as long as RFC 5321 §4.5.3.1.5 lets them be, and more. */
const LARGEST_REPLY = 65_536
/**
 * From the first octet of a reply to its last, over all replies of a session, in milliseconds. A reply is made of one
 * TCP segment or a few. Servers that stutter on purpose hold back new clients for some 10 to 30 seconds.
 */
const LONGEST_DRIP = 120_000
/** The server has this time for its reply to a message, in milliseconds: giving up sends it twice (RFC 5321 §4.5.3.2.6, RFC 1047). */
export const MESSAGE_REPLY_TIME = 600_000

export interface ReplyLimit {
  /** A command is written: what comes from now on is its reply. */
  readonly began: () => void
  /** A message is written: its reply may drip, and is limited by {@link MESSAGE_REPLY_TIME} alone. */
  readonly beganMessage: () => void
  /** @returns whether octets that have come are within the limit */
  readonly allows: (octets: number) => boolean
}

/**
 * @param now - milliseconds of a clock that only goes forward
 * @param largest - octets of one reply
 */
export function createReplyLimit(now: () => number, largest = LARGEST_REPLY): ReplyLimit {
  let octetsHeard = 0
  let firstAt: number | undefined
  let lastAt = 0
  let dripped = 0
  let messageAt: number | undefined

  const began = () => {
    if (firstAt !== undefined && messageAt === undefined) dripped += lastAt - firstAt
    octetsHeard = 0
    firstAt = undefined
    messageAt = undefined
  }
  return {
    began,
    beganMessage: () => {
      began()
      messageAt = now()
    },
    allows: (octets) => {
      lastAt = now()
      firstAt ??= lastAt
      octetsHeard += octets
      if (octetsHeard > largest) return false
      if (messageAt !== undefined) return lastAt - messageAt <= MESSAGE_REPLY_TIME
      return dripped + lastAt - firstAt <= LONGEST_DRIP
    },
  }
}
