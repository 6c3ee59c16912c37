/**
 * As much of Haraka as the plugins of the test ground use, the same in 3.0, 3.1 and 3.3.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export const codes = { ok: 906, next: 900, deny: 902, denysoft: 903, delay: 908 }

export type Next = (code?: number, value?: unknown) => void

export interface Recipient {
  readonly user: string
  readonly host: string
  readonly reason?: string
  readonly dsn_status?: string
  readonly dsn_code?: number
  readonly dsn_msg?: string
  readonly dsn_action?: string
  readonly dsn_smtp_response?: string
  readonly dsn_remote_mta?: string
}

export interface Hmail {
  readonly filename: string
  readonly num_failures: number
  readonly todo: { readonly uuid: string; readonly domain: string; readonly rcpt_to: readonly Recipient[] }
}

interface TimerQueue {
  readonly queue: readonly { readonly id: string; readonly cb: (() => void) | null }[]
  discard(id: string): void
}

export interface Outbound {
  readonly temp_fail_queue: TimerQueue
  readonly net_utils: { readonly HarakaMx: new (host: unknown) => object }
  flush_queue(): unknown
  send_email(from: string, to: string, contents: string, done: () => void, options: object): unknown
  get_stats(): string
}

export interface HarakaRequire {
  (name: 'outbound'): Outbound
  (name: 'outbound/config'): { readonly cfg: { temp_fail_intervals: readonly number[] } }
  (name: 'outbound/hmail'): { readonly prototype: { found_mx: (this: unknown, mxs: { port?: number }[]) => unknown } }
}

export interface Plugin {
  /** needs no `this` */
  readonly haraka_require: HarakaRequire
  register_hook(hook: string, method: string, priority?: number): void
}

/** A JSON file of the instance's config folder, as it is at this moment; `otherwise` where there is none. */
export function readNow<Content>(name: string, otherwise: Content): Content {
  try {
    return JSON.parse(readFileSync(join(process.env.HARAKA ?? '.', 'config', name), 'utf8')) as Content
  } catch {
    return otherwise
  }
}
