/**
 * What Haraka's own files say about outbound TLS, as its core has read them.
 *
 * They are taken from core and not read again: haraka-config tells only the last one who asked for a file that it has changed.
 *
 * @module
 */

import type { HarakaTlsInput } from '../lib/settings'
import type { OutboundConfig, OutboundTls, Plugin, TlsSocketModule } from './haraka'

/** The parts of core that hold them. Core replaces these objects when it reads its files again. */
export interface CoreSettings {
  readonly outbound: OutboundConfig
  readonly outboundTls: OutboundTls['cfg']
  readonly tls: TlsSocketModule['cfg']
}

interface CoreModules {
  readonly outbound: { readonly cfg: OutboundConfig }
  readonly outboundTls: OutboundTls
  readonly tls: TlsSocketModule
}

/** Asking core for a module takes its time, and every delivery looks at them. */
const modulesOf = new WeakMap<Plugin, CoreModules>()

/** As they are now. */
export function coreSettings(plugin: Plugin): CoreSettings {
  const modules = modulesOf.get(plugin) ?? {
    outbound: plugin.haraka_require('outbound/config'),
    outboundTls: plugin.haraka_require('outbound/tls'),
    tls: plugin.haraka_require('tls_socket'),
  }
  modulesOf.set(plugin, modules)
  const { outbound, outboundTls, tls } = modules
  return { outbound: outbound.cfg, outboundTls: outboundTls.cfg, tls: tls.cfg }
}

/** What outbound-tls.ini is read together with. */
export function harakaTlsOf(plugin: Plugin): HarakaTlsInput {
  const { outbound, outboundTls, tls } = coreSettings(plugin)
  const family = outbound.inet_prefer
  return {
    enableTls: outbound.enable_tls,
    forceTlsHosts: outboundTls?.force_tls_hosts ?? [],
    noTlsHosts: outboundTls?.no_tls_hosts ?? [],
    disableForFailedHosts: outboundTls?.redis?.disable_for_failed_hosts === true,
    inetPrefer: family === 'v4' || family === 'v6' ? family : 'default',
    localMxOk: outbound.local_mx_ok,
    mutualTls: presentsClientCertificates(tls),
  }
}

/** Whether core merges client certificates of its own into outbound handshakes. */
export function presentsClientCertificates(tls: TlsSocketModule['cfg']): boolean {
  return tls?.main.mutual_tls === true || Object.keys(tls?.mutual_auth_hosts ?? {}).length > 0
}
