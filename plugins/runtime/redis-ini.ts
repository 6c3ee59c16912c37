/**
 * Which Redis server the store is on: what `[store]` of outbound-tls.ini says, over what redis.ini says to all plugins.
 *
 * @module
 */

import type { Plugin } from './haraka'
import { configDirectory } from './config'
import type { RedisSettings } from '../lib/settings'
import type { RedisEndpoint } from '../lib/store'

type Section = Readonly<Record<string, unknown>>

/**
 * redis.ini as it is now, read past what haraka-config has in store for this name: it tells one reader of each name of changes, and
 * that must go on being one of those whose file it is.
 */
export function readRedisIni(plugin: Plugin): unknown {
  return plugin.config.get(`${configDirectory(plugin.config)}/./redis.ini`, 'ini')
}

/**
 * Merges the two as haraka-plugin-redis does it for every plugin, by its own code: its defaults, the names that options have had, and
 * `[opts]` are its business.
 *
 * @param ini - redis.ini as haraka-config gives it
 */
export async function redisEndpoint(ini: unknown, store: RedisSettings): Promise<RedisEndpoint> {
  const { default: haraka } = await import('haraka-plugin-redis') // loaded when it is needed
  const plugin = { cfg: { redis: ours(store) }, redisCfg: haraka.normalize_redis_ini(ini ?? {}) }
  haraka.merge_redis_ini.call(plugin)
  const { socket, ...client } = plugin.cfg.redis as Section & { readonly socket: Section }
  const elsewhere = store.host !== undefined // then neither a socket nor a URL of redis.ini is meant
  return given<RedisEndpoint>({
    url: elsewhere ? undefined : text(client.url),
    path: elsewhere ? undefined : text(socket.path),
    host: text(socket.host),
    port: whole(socket.port),
    tls: flag(socket.tls),
    username: text(client.username),
    password: text(client.password),
    database: whole(client.database),
  })
}

function ours({ db, ...rest }: RedisSettings): object {
  return given({ ...rest, db, database: db }) // under both names: a zero is nothing to haraka-plugin-redis
}

/** Without what is undefined. */
function given<Fields extends object>(fields: { readonly [Name in keyof Fields]: Fields[Name] | undefined }): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields
}

/** haraka-config makes numbers of what looks like one. */
function text(value: unknown): string | undefined {
  return (typeof value === 'string' && value !== '') || typeof value === 'number' ? String(value) : undefined
}

function whole(value: unknown): number | undefined {
  const number = Number(text(value))
  return Number.isSafeInteger(number) ? number : undefined
}

/** As haraka-config reads what is declared to be one. */
function flag(value: unknown): boolean | undefined {
  if (typeof value === 'boolean') return value
  const written = text(value)
  return written === undefined ? undefined : /^(?:true|yes|ok|enabled|on|1)$/i.test(written)
}
