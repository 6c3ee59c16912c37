/**
 * A plugin that goes wrong, for the domains and in the ways that config/trouble.json says.
 *
 * @module
 */
import { codes, readNow, type Hmail, type Next, type Plugin } from '../core.ts'

export type TroubledHook = 'send_email' | 'get_mx' | 'delivered' | 'deferred' | 'bounce'

export interface TroubleEntry {
  readonly hook: TroubledHook
  /** default: all */
  readonly domain?: string
  /** an answer of undefined is written as one without a value */
  readonly does:
    | 'throw'
    | 'hang'
    | { readonly answers: keyof typeof codes; readonly value?: unknown }
    /** puts this into `todo` */
    | { readonly envelope: Readonly<Record<string, unknown>> }
}

const hooks: readonly TroubledHook[] = ['send_email', 'get_mx', 'delivered', 'deferred', 'bounce']

export function register(this: Plugin): void {
  for (const hook of hooks) this.register_hook(hook, `in_${hook}`)
}

export const in_send_email = handler('send_email')
export const in_get_mx = handler('get_mx')
export const in_delivered = handler('delivered')
export const in_deferred = handler('deferred')
export const in_bounce = handler('bounce')

function handler(hook: TroubledHook) {
  return (next: Next, hmail: Hmail): void => {
    const entry = readNow<TroubleEntry[]>('trouble.json', []).find(
      ({ hook: where, domain = hmail.todo.domain }) => where === hook && domain === hmail.todo.domain,
    )
    if (entry?.does === 'hang') return
    if (entry?.does === 'throw') throw new Error(`trouble in ${hook}`)
    if (entry === undefined) return next()
    if ('envelope' in entry.does) {
      Object.assign(hmail.todo, entry.does.envelope)
      next()
    } else next(codes[entry.does.answers], entry.does.value)
  }
}
