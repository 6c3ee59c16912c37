export { matchesAddress, type AddressPatterns } from './addresses'
export { parseDuration, parseSize } from './amounts'
export { readAnalysisSettings, type AnalysisSettings, type AnalysisSettingsResult } from './analysis'
export { configurationError, type ConfigurationError, type Place } from './errors'
export { matchesHostList, readHarakaTls, type HarakaTls, type HarakaTlsInput, type HostList } from './haraka'
export { settingsFor } from './host'
export { filesNeeded, readSettings, type NeededFile, type ReadOptions, type SettingsResult } from './read'
export {
  isAligned,
  missingForReports,
  readReportSettings,
  readSuppressPattern,
  reportRulesFor,
  sendsReports,
  type ReportSettingsResult,
} from './report'
export type { ReportRules, ReportSettings, SendInterval, SignatureSettings } from './report-settings'
export { expiringRules, type ExpiringRule } from './rules'
export { CONDITION_KEYS, RULE_FIELDS, RULE_KEYS } from './tables'
export type {
  Conditions,
  DeliveryFacts,
  DnsSettings,
  HostSettings,
  LastError,
  RequirementLevel,
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
  TlsVersion,
} from './settings'
export { readStatusSettings, type StatusSettings, type StatusSettingsResult } from './status'
export type { ResolverAddress } from './kinds'
export { trustAnchorsIn } from './trust-anchors'
