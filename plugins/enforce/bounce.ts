/**
 * Bounces of messages that require TLS: they require it, too (RFC 8689 §5).
 *
 * Core makes its bounces without anything of the original's notes. Of the original they carry the header only, as
 * RET=HDRS has it: that much needs nothing from us.
 *
 * @module
 */

import constants from 'haraka-constants'
import type { HMailItem, Outbound } from '../haraka'
import { markRequireTls, newNotes, tlsWishOf } from '../lib/message'

/**
 * Has the bounce of a message that requires TLS made here, if one is made at all: other plugins may still answer the
 * hook. To be called when it begins: a message split off for some recipients bounces without ever having been sent.
 */
export function requireTlsOfBounce(hmail: HMailItem, outbound: Outbound): void {
  if (tlsWishOf(hmail.todo.notes) !== 'requiretls') return
  const bounceRespond = hmail.bounce_respond.bind(hmail)
  hmail.bounce_respond = (code, text) => {
    const isBounced = code === constants.cont && isNamed(hmail.todo.mail_from.user)
    if (isBounced) bounce(hmail, outbound)
    else bounceRespond(code, text)
  }
}

function isNamed(user: string | null): boolean {
  return user !== null && user !== ''
}

function bounce(hmail: HMailItem, outbound: Outbound): void {
  const sender = hmail.todo.mail_from
  hmail.populate_bounce_message('<>', sender, hmail.bounce_error, (error, lines) => {
    if (error !== null) return hmail.double_bounce(`Error populating bounce message: ${error.message}`)
    const queued = (code: number) => {
      if (code === constants.deny) hmail.double_bounce('Unable to queue the bounce message. Not sending bounce!')
      else hmail.discard()
    }
    outbound.send_email('<>', sender, lines.join(''), queued, { origin: hmail, notes: notesLikeThoseOf(hmail) })
  })
}

/** Of core's own class: other plugins call its methods. */
function notesLikeThoseOf({ todo }: HMailItem): object {
  const Notes = todo.notes.constructor as new (content: object) => object
  const notes = newNotes()
  markRequireTls(notes)
  return new Notes(notes)
}
