/**
 * Connects a Haraka with the test that started it: relays everything, reports what becomes of each message, does what it is asked.
 *
 * It talks over the IPC channel. With several workers, the master passes on what they say and what they are asked.
 *
 * @module
 */
import cluster from 'node:cluster'
import { createRequire } from 'node:module'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  readNow,
  type HarakaRequire,
  type Hmail,
  type Next,
  type Outbound,
  type Plugin,
  type Recipient,
} from '../core.ts'
import type { GroundEvent, GroundRequest, GroundSettings, RecipientResult } from '../../protocol.ts'
import { installClock, moveClock } from './clock.ts'

const deferred = new Map<string, Hmail>()
let requireCore: HarakaRequire

export function register(this: Plugin): void {
  requireCore = this.haraka_require
  if (readNow<Partial<GroundSettings>>('ground.json', {}).clock === true) installClock() // before others are loaded
  this.register_hook('connect', 'trust')
  this.register_hook('init_master', 'start', 100)
  this.register_hook('init_child', 'start', 100)
  this.register_hook('delivered', 'report_delivered', -100)
  this.register_hook('deferred', 'report_deferred', -100)
  this.register_hook('bounce', 'report_bounced', -100)
}

export function trust(next: Next, connection: { relaying: boolean }): void {
  connection.relaying = true
  next()
}

export function start(
  next: Next,
  server: { listeners: { address(): { port: number } }[]; cfg: { main: { nodes: number } } },
): void {
  const settings = readNow<GroundSettings>('ground.json', { core: '', resolver: '' })
  const fromCore = createRequire(settings.core)
  const dns = fromCore('haraka-net-utils/lib/dns_config') as DnsConfig
  if (settings.resolver !== '') dns.getDnsResolver().setServers([settings.resolver])
  if (settings.mxPort !== undefined) sendToPort(settings.mxPort)

  process.on('message', (request: { ground?: GroundRequest }) => {
    if (request.ground === undefined) return
    if (isMaster(server)) for (const worker of Object.values(cluster.workers ?? {})) worker?.send(request)
    else void obey(request.ground, fromCore)
  })
  if (isMaster(server))
    cluster.on('message', (_, message: { ground?: GroundEvent }) => message.ground && tell(message.ground))
  else readyWhenQueueIsRead(server, fromCore)
  // the test is gone, however it went
  if (cluster.isPrimary) process.on('disconnect', () => process.exit(0))
  next()
}

/** Core takes what is being queued while it reads its queue for left over, and removes it. Workers have it read before they start. */
function readyWhenQueueIsRead(
  server: { listeners: { address(): { port: number } }[] },
  fromCore: (module: string) => unknown,
): void {
  const ready = () => tell({ event: 'ready', port: server.listeners[0]?.address().port ?? 0 })
  if (cluster.isWorker) return ready()
  const outbound = fromCore('./outbound') as Record<string, ((...given: unknown[]) => unknown) | undefined>
  const name = outbound.init_queue === undefined ? 'load_queue' : 'init_queue' // Haraka 3.0 does not wait for it itself
  const readQueue = outbound[name]?.bind(outbound)
  outbound[name] = async (...given) => {
    await readQueue?.(...given)
    ready()
  }
}

interface DnsConfig {
  getDnsResolver(): { setServers(servers: string[]): void }
}

function isMaster(server: { cfg: { main: { nodes: number } } }): boolean {
  return cluster.isPrimary && Boolean(server.cfg.main.nodes)
}

/** Core delivers to port 25 what it finds in DNS; nobody listens there in the private internet. */
function sendToPort(port: number): void {
  const { prototype } = requireCore('outbound/hmail')
  const { found_mx } = prototype
  prototype.found_mx = function (mxs) {
    for (const mx of mxs) mx.port ??= port
    return found_mx.call(this, mxs)
  }
}

async function obey(request: GroundRequest, fromCore: NodeJS.Require): Promise<void> {
  tell({ event: 'answer', id: request.id, value: await answerTo(request, fromCore) })
}

function answerTo(request: GroundRequest, fromCore: NodeJS.Require): unknown {
  const outbound = requireCore('outbound')
  switch (request.ask) {
    case 'retry':
      return retry(outbound, request.uuid)
    case 'flush':
      return flush(outbound)
    case 'queue':
      return outbound.get_stats()
    case 'memory':
      globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' }) // a heap gives pages back by nothing else
      return process.memoryUsage.rss()
    case 'intervals':
      requireCore('outbound/config').cfg.temp_fail_intervals = request.seconds
      return true
    case 'reload':
      return reload(fromCore, request.file)
    case 'clock':
      moveClock(request.at)
      return true
  }
}

/** Tries the deferred parts of a message now. The time they have to wait begins a little after the deferred hook. */
async function retry(outbound: Outbound, uuid: string): Promise<number> {
  const parts = [...deferred].filter(([id]) => id.startsWith(uuid))
  for (const [id, hmail] of parts) {
    deferred.delete(id)
    for (let patience = 200; patience > 0 && !tryNow(outbound, hmail.filename); patience--) await sleep(5)
  }
  return parts.length
}

function tryNow({ temp_fail_queue }: Outbound, filename: string): boolean {
  const timer = temp_fail_queue.queue.find((waiting) => waiting.id === filename)
  if (timer === undefined) return false
  const { cb } = timer
  temp_fail_queue.discard(filename)
  cb?.()
  return true
}

/**
 * Tries all that waits. Behind a start the queue is still being read when Haraka is ready, so there has to be something; and what was read there is read
 * once more and waits again, under the same name, until it is asked a second time.
 */
async function flush(outbound: Outbound): Promise<boolean> {
  const { queue } = outbound.temp_fail_queue
  for (let patience = 200; patience > 0 && queue.length === 0; patience--) await sleep(10)
  const names = queue.map(({ id }) => id)
  outbound.flush_queue()
  for (let patience = 20; patience > 0; patience--) {
    await sleep(10)
    for (const name of names) tryNow(outbound, name)
  }
  return names.length > 0
}

interface Reader {
  readonly _read_args: Record<string, { type: string; options: unknown; cb?: () => void }>
  load_config(name: string, type: string, options: unknown): unknown
}

/** What haraka-config does five seconds after a file has changed. */
function reload(fromCore: NodeJS.Require, file: string): boolean {
  const reader = fromCore('haraka-config/lib/reader') as Reader
  const paths = Object.keys(reader._read_args).filter((path) => path === `${process.env.HARAKA ?? ''}/config/${file}`)
  for (const path of paths) {
    const read = reader._read_args[path]
    if (read === undefined) continue
    reader.load_config(path, read.type, read.options)
    read.cb?.()
  }
  return paths.length > 0
}

export function report_delivered(next: Next, hmail: Hmail, params: unknown[]): void {
  const [host, ip, response, , port, mode, recipients, secured, authenticated] = params as [
    string,
    string,
    string,
    number,
    number,
    string,
    Recipient[],
    boolean,
    boolean,
  ]
  const results = recipients.map(resultOf)
  const { uuid } = hmail.todo
  tell({ event: 'delivered', uuid, recipients: results, host, ip, port, mode, response, secured, authenticated })
  next()
}

export function report_deferred(next: Next, hmail: Hmail, params: { delay: number; err: unknown }): void {
  const { uuid, rcpt_to } = hmail.todo
  deferred.set(`${uuid} ${rcpt_to.map((recipient) => recipient.user).join()}`, hmail)
  const recipients = rcpt_to.map(resultOf)
  tell({
    event: 'deferred',
    uuid,
    recipients,
    error: String(params.err),
    delay: params.delay,
    failures: hmail.num_failures,
  })
  next()
}

export function report_bounced(next: Next, hmail: Hmail, error: unknown): void {
  const { uuid, rcpt_to } = hmail.todo
  tell({ event: 'bounced', uuid, recipients: rcpt_to.map(resultOf), error: (error as Error).message })
  next()
}

function resultOf(recipient: Recipient): RecipientResult {
  const { user, host, reason, dsn_status, dsn_code, dsn_msg, dsn_action, dsn_smtp_response, dsn_remote_mta } = recipient
  return {
    address: `${user}@${host}`,
    reason,
    status: dsn_status,
    code: dsn_code,
    message: dsn_msg,
    action: dsn_action,
    response: dsn_smtp_response,
    remoteMta: dsn_remote_mta,
  }
}

function tell(event: GroundEvent): void {
  process.send?.({ ground: event })
}
