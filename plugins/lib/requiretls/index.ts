/**
 * What a message itself says about TLS, and how that travels with it.
 *
 * @module
 */

export { readTlsRequired, type TlsRequiredField } from './header-field'
export { readRequireTls, type RequireTlsParameter } from './mail-parameter'
export {
  isTlsReport,
  markRequireTls,
  markTlsReport,
  markTlsRequiredNo,
  newNotes,
  tlsReportOf,
  markedTlsRequest,
} from './marks'
export type { MessageNotes, TlsReportMark, TlsRequest } from './marks'
