export { matchesAddress, type AddressPatterns } from './addresses'
export { parseDuration, parseSize } from './amounts'
export { readAnalysisSettings, type AnalysisSettings } from './analysis'
export { configurationError, type ConfigurationError, type Place } from './errors'
export { matchesHostList, readHarakaTls, type HarakaTls, type HarakaTlsInput } from './haraka'
export { settingsFor } from './host'
export { filesNeeded, readSettings, type ReadOptions } from './read'
export {
  isAligned,
  missingForReports,
  readReportSettings,
  readSuppressPattern,
  reportRulesFor,
  sendsReports,
} from './report'
export type { ReportRules, ReportSettings, SignatureSettings } from './report-settings'
export { expiringRules } from './rules'
export { CONDITION_KEYS, RULE_FIELDS, RULE_KEYS } from './tables'
export type {
  Conditions,
  DeliveryFacts,
  DnsSettings,
  HostSettings,
  LastError,
  MainSettings,
  MtaStsSettings,
  MxTrust,
  Route,
  Rule,
  RuleKey,
  RuleSettings,
  SetBy,
  Settings,
  StoreSettings,
} from './settings'
export { readStatusSettings, type StatusSettings } from './status'
export type { ResolverAddress } from './kinds'
export { trustAnchorsIn } from './trust-anchors'
