/**
 * Bounces of messages that require TLS: they require it, too (RFC 8689 §5).
 *
 * Core makes its bounces without anything of the original's notes. Of the original they carry the header only, as
 * RET=HDRS has it: that much needs nothing from us.
 *
 * @module
 */

import constants from 'haraka-constants'
import type { HMailItem, Plugin, Todo } from '../runtime/haraka'
import { markRequireTls } from '../lib/requiretls'
import { readTlsRequest } from './tls-request'

/**
 * Has the bounce of a message that requires TLS made here, if one is made at all: other plugins may still answer the
 * hook. To be called when it begins: a message split off for some recipients bounces without ever having been sent.
 */
export function requireTlsOfBounce(hmail: HMailItem, plugin: Plugin): void {
  if (readTlsRequest(hmail) !== 'requiretls') return
  const bounceRespond = hmail.bounce_respond.bind(hmail)
  hmail.bounce_respond = (code, text) => {
    const sender: Partial<Todo>['mail_from'] | null = hmail.todo?.mail_from
    const isNamed = typeof sender?.user === 'string' && sender.user !== ''
    if (code === constants.cont && isNamed) bounce(hmail, sender, plugin)
    else bounceRespond(code, text)
  }
}

function bounce(hmail: HMailItem, sender: Todo['mail_from'], plugin: Plugin): void {
  const outbound = plugin.haraka_require('outbound')
  hmail.populate_bounce_message('<>', sender, hmail.bounce_error, (error, lines) => {
    if (error !== null) return hmail.double_bounce(`Error populating bounce message: ${error.message}`)
    const queued = (code: number) => {
      if (code === constants.deny) hmail.double_bounce('Unable to queue the bounce message. Not sending bounce!')
      else hmail.discard()
    }
    outbound.send_email('<>', sender, lines.join(''), queued, { origin: hmail, notes: requiringNotes(plugin) })
  })
}

/** Core's own notes: other plugins call their methods. */
function requiringNotes(plugin: Plugin): object {
  const { notes } = plugin.haraka_require('transaction').createTransaction()
  markRequireTls(notes)
  return notes
}
