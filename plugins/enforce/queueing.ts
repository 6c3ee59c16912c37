/**
 * Reads the header of every message that goes into Haraka's outbound queue, for "TLS-Required: No" (RFC 8689 §3).
 *
 * The hook pre_send_trans_email would be the place for it, but as soon as any plugin has it, a message that another plugin
 * hands over with notes of its own ends Haraka. All messages pass this function of core, also those.
 *
 * @module
 */

import type { Outbound, Plugin, Transaction } from '../runtime/haraka'
import { markTlsRequiredNo, readTlsRequired, markedTlsRequest } from '../lib/requiretls'
import { monitoring as monitor } from '../runtime/monitoring'

/** @param isHonoured - `tls-required-no`, as it is at this moment */
export function readHeadersAtQueue(plugin: Plugin, outbound: Outbound, isHonoured: () => boolean): void {
  const queue = outbound.send_trans_email.bind(outbound)
  outbound.send_trans_email = (transaction, next) => {
    if (isHonoured()) heedHeader(plugin, transaction)
    noteRequest(plugin, transaction)
    return queue(transaction, next)
  }
}

/** Between them, the field's name and its value are all that can be said: anything else is as if it were not there. */
function heedHeader(plugin: Plugin, { header, notes, uuid }: Transaction): void {
  const field = readTlsRequired(header.get_all('TLS-Required'))
  if (field === 'no') markTlsRequiredNo(notes)
  if (field === 'several')
    plugin.lognotice(`${uuid}: TLS-Required is there more than once, and is ignored (RFC 8689 3)`)
  if (field === 'unknown')
    plugin.lognotice(`${uuid}: TLS-Required has a value other than No, and is ignored (RFC 8689 3)`)
}

/** Once for each message, whatever it is split into later. */
function noteRequest(plugin: Plugin, { notes, uuid }: Transaction): void {
  const request = markedTlsRequest(notes)
  if (request === undefined || request === 'tls-report') return
  monitor.count('requests', { request })
  plugin.loginfo(`${uuid}: ${request === 'requiretls' ? 'REQUIRETLS' : 'TLS-Required: No'} goes with the message`)
}
