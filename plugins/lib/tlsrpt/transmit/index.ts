/**
 * Sends reports: as signed mail, and by HTTPS (RFC 8460 §5).
 *
 * @module
 */

export { readSigningKeys } from './keys'
export type { KeysRead, ReadConfigFile, SigningKey } from './keys'
export { composeMail } from './mail'
export type { MailOptions, Sender } from './mail'
export { postReport, readRetryAfter } from './post'
