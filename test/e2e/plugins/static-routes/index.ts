/**
 * Answers get_mx as smtp_forward, relay and others do, from config/routes.json.
 *
 * @module
 */
import { codes, readNow, type Hmail, type Next, type Plugin } from '../core.ts'

/** By domain, or "*": whatever plugins answer: "host:port", an object, several of them. */
export type Routes = Readonly<Record<string, unknown>>

export function register(this: Plugin): void {
  this.register_hook('get_mx', 'route')
}

export function route(next: Next, _hmail: Hmail, domain: string): void {
  const routes = readNow<Routes>('routes.json', {})
  const answer = routes[domain] ?? routes['*']
  if (answer === undefined) next()
  else next(codes.ok, answer)
}
