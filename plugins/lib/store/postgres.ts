import type { Engine } from './database'
import type { Log } from './shared'

export interface PostgresOptions {
  readonly url?: string
  readonly readOnly?: boolean
}

export function createPostgres(_options: PostgresOptions, _log: Log): Engine {
  throw new Error('not yet')
}
