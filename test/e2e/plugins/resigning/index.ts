/**
 * Has haraka-plugin-dkim sign all that is queued, also what plugins queue, as its hook's name says and older versions did.
 *
 * @module
 */
import type { Plugin } from '../core.ts'

export function register(this: Plugin & { inherits(name: string): void }): void {
  this.inherits('haraka-plugin-dkim')
  this.register_hook('pre_send_trans_email', 'hook_pre_send_trans_email')
}
