/**
 * The Haraka plugin "outbound-tls/plugins/status": what became of outbound TLS, as a page, as JSON and for Prometheus, on Haraka's
 * http server. It shows what the others have recorded, and changes nothing.
 *
 * @module
 */

import type { HttpServer, Next, Plugin } from '../haraka'
import { refuseToLoad, usePackageConfig } from '../main-settings'
import { checkHaraka, checkNode } from '../versions'
import { followConfiguration } from './configuration'
import { createService, type Service } from './service'

let service: Service | undefined

export function register(this: Plugin): void {
  checkNode(process.versions.node)
  checkHaraka(this.haraka_require('package.json').version)
  usePackageConfig(this)
  this.timeout = 0
  const configuration = followConfiguration(this, () => service?.configured())
  refuseToLoad(this, configuration.errors) // where Haraka runs all the same, nobody sees anything
  service = createService(this, configuration)

  this.register_hook('init_master', 'look_for_http')
  // before others, who may answer whatever is asked for, but for the plugin analysis, which takes reports below the same path
  this.register_hook('init_http', 'serve', -99)
}

/** Where there is no http server nobody would be told why there is no page. */
export function look_for_http(
  this: Plugin,
  next: Next,
  server: { readonly http?: { readonly cfg?: { readonly listen?: unknown } } },
): void {
  const { listen } = server.http?.cfg ?? {}
  if (listen === undefined || listen === '')
    this.logwarn('there is no page: Haraka has no http server. Add "listen = 127.0.0.1:8080" to http.ini, and restart')
  next()
}

export function serve(next: Next, server: HttpServer): void {
  service?.serve(server.http.app)
  next()
}

export function shutdown(): void {
  service?.close()
}
