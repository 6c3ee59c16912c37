/**
 * What Haraka's tls.ini says about outbound TLS: a client certificate and ciphers. They are tried here, since what
 * OpenSSL refuses would otherwise show at the first handshake only.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { ClientTlsIni, Plugin, TlsSocketModule } from '../runtime/haraka'
import { createTlsOptions, faultsOf, type ClientTls, type TlsOptionsFor } from '../lib/delivery'
import { configurationError } from '../lib/settings'
import { configDirectory, readTrustAnchors } from '../runtime/config'
import { presentsClientCertificates } from '../runtime/core-settings'

/**
 * Says at CRIT what is wrong with tls.ini. With that, no TLS session is opened until it is mended.
 *
 * @param tls - tls.ini as core has read it last: what core keeps for its own outbound TLS is never read again
 */
export function outboundTlsOptions(plugin: Plugin, tls: TlsSocketModule['cfg']): TlsOptionsFor {
  const { client, faults } = readClientTls(plugin, tls)
  for (const fault of faults) plugin.logcrit(`${fault}; no mail goes out over TLS until this is mended`)
  const optionsFor = createTlsOptions(client, (file) => readTrustAnchors(plugin.config, file))
  return (verdict) => {
    if (faults.length > 0) throw new Error(faults.join('; '))
    return optionsFor(verdict)
  }
}

function readClientTls(
  plugin: Plugin,
  tls: TlsSocketModule['cfg'],
): { readonly client: ClientTls; readonly faults: readonly string[] } {
  const named = { key: settingOf(tls, 'key'), cert: settingOf(tls, 'cert'), ciphers: settingOf(tls, 'ciphers') }
  const [key, cert, ciphers] = [read(plugin, named.key), read(plugin, named.cert), named.ciphers?.value]
  const client = {
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
    ...(ciphers === undefined ? {} : { ciphers }),
    mutual: presentsClientCertificates(tls),
  }
  const reasons = faultsOf(client)
  const faults = (['key', 'cert', 'ciphers'] as const).flatMap((part) => {
    const [setting, reason] = [named[part], reasons[part]]
    if (setting === undefined || reason === undefined) return []
    const accepted = `${ACCEPTED[part]} (OpenSSL: ${reason})`
    return [configurationError({ file: 'tls.ini', section: setting.section }, part, setting.value, accepted).text]
  })
  return { client, faults }
}

const ACCEPTED = {
  key: 'a file with the private key of the certificate, in PEM',
  cert: 'a file of certificates in PEM',
  ciphers: 'a list of ciphers that OpenSSL knows',
} as const

interface Setting {
  readonly section: '[main]' | '[outbound]'
  readonly value: string
}

/** As core does: what [outbound] does not set comes from [main], and of a list the first counts. */
function settingOf(tls: TlsSocketModule['cfg'], part: keyof ClientTlsIni): Setting | undefined {
  const section = tls?.outbound?.[part] === undefined ? '[main]' : '[outbound]'
  const values = section === '[main]' ? tls?.main[part] : tls?.outbound?.[part]
  const value = typeof values === 'string' ? values : values?.[0]
  return value === undefined || value === '' ? undefined : { section, value }
}

/** A file that is not there is none to core either: no certificate is presented. */
function read(plugin: Plugin, setting: Setting | undefined): Buffer | undefined {
  if (setting === undefined) return undefined
  try {
    const content = readFileSync(resolve(configDirectory(plugin.config), setting.value))
    return content.length === 0 ? undefined : content
  } catch {
    return undefined
  }
}
