/**
 * What a message carries about TLS from its reception to its last delivery: the sender's own word (RFC 8689), or that it
 * is a TLS report of ours (RFC 8460 §3).
 *
 * It is in the notes of Haraka's transaction, under `outbound_tls`. Haraka writes them into every queue file as JSON, and
 * from there they come back in `todo.notes`: after a restart, at a retry, and in a message split off for some recipients.
 *
 * @module
 */

/**
 * What is asked for all deliveries of a message.
 *
 * - `requiretls`: TLS to a proved host that promises the same, or not at all (RFC 8689 §4.2.1)
 * - `tls-required-no`: remote policies hold it not back (RFC 8689 §4.2.2); the administrator's demands do
 * - `tls-report`: nothing that has to do with TLS holds it back, and its sessions are not recorded (R22)
 */
export type TlsRequest = 'requiretls' | 'tls-required-no' | 'tls-report'

/** Which report it is: enough to find it again when Haraka's queue has news of it. */
export interface TlsReportMark {
  /** the domain that is reported to */
  readonly domain: string
  /** when the period begins, in milliseconds since 1970 */
  readonly start: number
  /** the destination that this message is for */
  readonly rua: string
}

/** Haraka's notes, or what stands for them: `transaction.notes`, `todo.notes`. */
export interface MessageNotes {
  outbound_tls?: unknown
}

/** Requires TLS for a message, for good: nothing takes this back, and no header counts beside it (Q2). */
export function markRequireTls(notes: MessageNotes): void {
  notes.outbound_tls = { requiretls: true }
}

/** Frees a message from remote policies, unless something else has been said of it: REQUIRETLS wins (Q7). */
export function markTlsRequiredNo(notes: MessageNotes): void {
  notes.outbound_tls ??= { tlsRequired: 'no' }
}

/** Marks a message as a TLS report of ours. */
export function markTlsReport(notes: MessageNotes, { domain, start, rua }: TlsReportMark): void {
  notes.outbound_tls = { report: true, domain, start, rua }
}

/** What is asked for a message; undefined: nothing, or nothing that can be read. */
export function markedTlsRequest(notes: unknown): TlsRequest | undefined {
  const mark = markOf(notes)
  if (mark === undefined) return undefined
  if (mark.requiretls === true) return 'requiretls'
  if (mark.report === true) return 'tls-report'
  return mark.tlsRequired === 'no' ? 'tls-required-no' : undefined
}

/** Whether a message is a TLS report of ours. */
export function isTlsReport(notes: unknown): boolean {
  return markedTlsRequest(notes) === 'tls-report'
}

/** Which TLS report a message is; undefined: none, or it does not say. */
export function tlsReportOf(notes: unknown): TlsReportMark | undefined {
  const { domain, start, rua } = isTlsReport(notes) ? (markOf(notes) ?? {}) : {}
  if (typeof domain !== 'string' || typeof start !== 'number' || typeof rua !== 'string') return undefined
  return { domain, start, rua }
}

/**
 * Notes for a message that is handed to Haraka's outbound.send_email(): with `skip_plugins`, without which Haraka ends
 * as soon as any plugin hooks pre_send_trans_email.
 */
export function newNotes(): MessageNotes & { readonly skip_plugins: string[] } {
  return { skip_plugins: [] }
}

/** Another plugin may write into the notes whatever it likes. */
function markOf(notes: unknown): Readonly<Record<string, unknown>> | undefined {
  if (!isRecord(notes)) return undefined
  return isRecord(notes.outbound_tls) ? notes.outbound_tls : undefined
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
