/**
 * Answers send_email before anybody else: what it answers means nothing to core, but nobody behind it is asked.
 *
 * @module
 */
import { codes, type Next, type Plugin } from '../core.ts'

export function register(this: Plugin): void {
  this.register_hook('send_email', 'forestall', -100)
}

export function forestall(next: Next): void {
  next(codes.ok)
}
