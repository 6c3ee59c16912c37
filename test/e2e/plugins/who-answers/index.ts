/**
 * Says in a header which process answers a request by HTTP.
 *
 * @module
 */
import type { ServerResponse } from 'node:http'
import type { Next, Plugin } from '../core.ts'

interface Server {
  readonly http: {
    readonly app: { use(handler: (request: unknown, response: ServerResponse, next: () => void) => void): void }
  }
}

export function register(this: Plugin): void {
  this.register_hook('init_http', 'tell', -100) // stands before others in config/plugins
}

export function tell(next: Next, server: Server): void {
  server.http.app.use((_request, response, proceed) => {
    response.setHeader('x-process', String(process.pid))
    proceed()
  })
  next()
}
