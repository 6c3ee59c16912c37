/**
 * Waves denials of outbound hooks through, as the deny hook of haraka-plugin-karma does.
 *
 * @module
 */
import { codes, type Next, type Plugin } from '../core.ts'

export function register(this: Plugin): void {
  this.register_hook('deny', 'wave_through')
}

export function wave_through(next: Next, subject: object): void {
  next(subject.constructor.name === 'HMailItem' ? codes.ok : codes.next)
}
