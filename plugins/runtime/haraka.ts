/**
 * Haraka's own types, as far as we use them: the same from 3.0.4 on. Types only.
 *
 * @module
 */

import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { ConnectionOptions, TLSSocket } from 'node:tls'

export type LogMethod = (text: string) => void

export interface Logger {
  readonly logcrit: LogMethod
  readonly logerror: LogMethod
  readonly logwarn: LogMethod
  readonly lognotice: LogMethod
  readonly loginfo: LogMethod
  readonly logdebug: LogMethod
}

export interface Config {
  /** `changed` is called some seconds after the file was written; the last caller's is the only one that is kept */
  get(name: string, type: 'ini', changed?: () => void): unknown
  module_config(defaults: string, overrides?: string): Config
  /** where the administrator's files are, if not in `root_path` */
  readonly overrides_path?: string
  readonly root_path: string
}

export type Next = (code?: number, argument?: unknown) => void

export interface Plugin extends Logger {
  name: string
  config: Config
  timeout: number
  register_hook(hook: string, method: string, priority?: number): void
  haraka_require(name: 'outbound'): Outbound
  haraka_require(name: 'outbound/config'): { readonly cfg: OutboundConfig }
  haraka_require(name: 'outbound/tls'): OutboundTls
  haraka_require(name: 'tls_socket'): TlsSocketModule
  haraka_require(name: 'server'): { readonly cfg?: { readonly main: { readonly ignore_bad_plugins?: unknown } } }
  haraka_require(name: 'package.json'): { readonly version: string }
  haraka_require(name: 'transaction'): { createTransaction(): Transaction }
}

/** Haraka's outbound queue. */
export interface Outbound {
  readonly net_utils: NetUtils
  /** every message that is queued passes it; core calls it through this object */
  send_trans_email(transaction: Transaction, next: Next): unknown
  send_email(
    from: string | MailAddress,
    to: string | MailAddress,
    /** a text, or lines as SMTP has them: with their dots doubled */
    contents: string | Readable,
    next: (code: number, text?: unknown) => void,
    options: { readonly origin?: object; readonly notes: object },
  ): unknown
}

export interface NetUtils {
  readonly HarakaMx: new (properties: Partial<HarakaMx>) => HarakaMx
  /** an address of an interface, or of a range that never leaves this machine or its network */
  is_local_ip(address: string): boolean
  get_public_ip(): Promise<string | null | undefined>
  get_primary_host_name(): string
  get_ips_by_host(name: string): Promise<readonly string[]>
}

/** A client's connection. */
export interface Connection {
  readonly tls: { readonly enabled: boolean }
  /** the command, as it came */
  readonly current_line: string
  /** EHLO keywords, during the hook capabilities */
  readonly capabilities: string[]
  readonly transaction: Transaction | null
  /** of the hook that is running: what comes behind the plugin that runs now */
  readonly hooks_to_run: readonly (readonly [{ readonly name: string }, ...unknown[]])[]
}

/** A message on its way in, or made by a plugin. */
export interface Transaction {
  readonly uuid: string
  /** other plugins write into it, too; all of it goes into the queue file */
  readonly notes: object
  readonly header: {
    get_all(name: string): readonly string[]
    /** the fields, each with its line breaks; the message is written from this very array */
    readonly header_list: string[]
  }
  readonly rcpt_to: readonly MailAddress[]
  /** takes a line of the message as it came, with its CRLF and with a dot before its first one (RFC 5321 §4.5.2) */
  add_data(line: Buffer | string): void
  add_header(name: string, value: string): void
  remove_header(name: string): void
}

/** Haraka's http server, in the hook init_http. `app` is express, with which plugins share it. */
export interface HttpServer {
  readonly http: {
    readonly app: {
      use(handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void): unknown
    }
  }
}

/** What tls.ini says about outbound connections; `cfg` is missing until Haraka has loaded it. */
export interface OutboundTls {
  readonly cfg?: {
    readonly force_tls_hosts?: readonly string[]
    readonly no_tls_hosts?: readonly string[]
    readonly redis?: { readonly disable_for_failed_hosts?: boolean }
  }
}

/** What tls.ini says of certificates, of both sections: names of files, and a list of ciphers. */
export type ClientTlsIni = Readonly<Partial<Record<'key' | 'cert' | 'ciphers', string | readonly string[]>>>

/** All of tls.ini; `cfg` is missing until Haraka has loaded it, and another object when it has read the file again. */
export interface TlsSocketModule {
  readonly cfg?: {
    readonly main: ClientTlsIni & { readonly mutual_tls?: boolean }
    readonly outbound?: ClientTlsIni
    readonly mutual_auth_hosts?: Readonly<Record<string, string>>
  }
}

/** A host to deliver to. Only instances of core's own class keep additional properties. */
export interface HarakaMx {
  exchange?: string
  path?: string
  priority?: number
  port?: number
  bind?: string
  bind_helo?: string
  using_lmtp?: boolean
  auth_user?: string
  auth_pass?: string
  auth_type?: string
  /** the host's name, where `exchange` is one of its addresses */
  from_dns?: string
}

/** Core's wrapper around a plain socket, later around the TLS socket on top of it. */
export interface PluggableSocket extends EventEmitter {
  readonly targetsocket: Partial<Socket>
  writable: boolean
  cleartext?: TLSSocket
  write(data: string | Uint8Array, encoding?: string, callback?: (error?: Error) => void): boolean
  end(data?: string): void
  destroy(): void
  /** the idle timer */
  setTimeout(milliseconds: number): unknown
  isEncrypted(): boolean
  upgrade(options: ConnectionOptions, secured: (authorized: boolean) => void): void
}

export interface Recipient {
  toString(): string
  /** what the server said of it, in core's words */
  reason?: string
  dsn_action?: string
  dsn_status?: string
  dsn_code?: number
  dsn_msg?: string
  dsn_remote_mta?: string
  dsn_smtp_code?: string
  dsn_smtp_extc?: string
  /** what the server said of it */
  dsn_smtp_response?: string
}

export interface Dsn {
  readonly code: number
  readonly msg: string
  readonly cls: number
  readonly sub: number
  readonly det: number
}

export interface MailAddress {
  readonly user: string | null
  readonly host: string | null
}

export interface Todo {
  readonly domain: string
  readonly mail_from: MailAddress
  readonly rcpt_to: readonly Recipient[]
  /** of the transaction that queued it, through JSON */
  readonly notes: object
  /** milliseconds since 1970 */
  readonly queue_time: number
}

/** One message on its way to one domain (or to one recipient, after a split). The same object for all its attempts. */
export interface HMailItem extends Logger {
  readonly filename: string
  readonly num_failures: number
  /** null: the queue file has not been read, or cannot be. Other plugins may write into it, too. */
  readonly todo: Todo | null
  mxlist: HarakaMx[]
  force_tls: boolean
  get_mx_respond(code: number, mx: unknown): void | Promise<void>
  found_mx(mxs: readonly HarakaMx[]): unknown
  try_deliver(): void | Promise<void>
  try_deliver_host_on_socket(mx: HarakaMx, host: string, port: number, socket: PluggableSocket): void
  get_force_tls(mx: HarakaMx): boolean
  temp_fail(error: string, extra?: unknown): void
  bounce(error: string, options?: unknown): void
  readonly bounce_error: unknown
  bounce_respond(code: number, text?: unknown): void
  populate_bounce_message(
    from: string,
    to: MailAddress,
    reason: unknown,
    done: (error: Error | null, lines: readonly string[]) => void,
  ): void
  /** the bounce itself cannot be sent: the end of the message */
  double_bounce(why: string): void
  discard(): void
  /** gives the message's place in the delivery queue to the next one */
  next_cb(): void
  extend_rcpt_with_dsn(recipient: Recipient, dsn: Dsn): void
  delivered(...facts: DeliveredFacts): void
}

/** ip, port, mode, host, response, ok, deferred and bounced recipients, TLS, authenticated */
export type DeliveredFacts = [
  string,
  number,
  string,
  string,
  string,
  readonly Recipient[],
  readonly Recipient[],
  readonly Recipient[],
  boolean,
  boolean,
]

/** outbound.ini, `[main]`, as core reads it. */
export interface OutboundConfig {
  readonly enable_tls: boolean
  readonly local_mx_ok: boolean
  readonly connect_timeout: number | string
  readonly temp_fail_intervals: readonly number[]
  readonly inet_prefer?: string
}
