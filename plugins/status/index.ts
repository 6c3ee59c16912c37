/**
 * The Haraka plugin "outbound-tls/plugins/status": what became of outbound TLS, as a page, as JSON and for Prometheus, on Haraka's
 * http server. It shows what the others have recorded, and changes nothing.
 *
 * @module
 */

import type { HttpServer, Next, Plugin } from '../runtime/haraka'
import { beginPlugin, refuseToLoad } from '../runtime/plugin'
import { createService, type Service } from './service'

let service: Service | undefined

export function register(this: Plugin): void {
  beginPlugin(this)
  service = createService(this)
  refuseToLoad(this, service.errors) // where Haraka runs all the same, no page is shown

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
