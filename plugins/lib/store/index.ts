export { openDatabase } from './open'
export type { DatabaseOptions, Opened } from './open'
export { openShared } from './shared'
export type { Connection, Done, Log, SharedDatabase, SharedOptions } from './shared'
