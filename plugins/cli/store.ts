/**
 * The stores of an instance, as commands open them.
 *
 * @module
 */

import type { StoreSettings } from '../lib/settings'
import type { Closable, StoreContext } from '../runtime/stores'
import type { Answer, Call, Problem } from './command'
import { instanceStoreContext, openInstance, type Instance } from './instance'
import { printable } from './text'

/** Opens a store of an instance for `work`, and closes it. */
export async function withStore<Store extends Closable>(
  call: Call,
  create: (store: StoreSettings, context: StoreContext) => Store,
  access: Pick<StoreContext, 'readOnly'>,
  work: (store: Store, instance: Instance) => Promise<Answer>,
): Promise<Answer> {
  const instance = await openInstance(call)
  if ('problems' in instance) return instance
  const store = create(instance.settings.store, { ...instanceStoreContext(instance), ...access })
  try {
    return await work(store, instance)
  } finally {
    store.end()
  }
}

const WHO_MAKES_IT =
  'Haraka makes it when it first runs with the plugin that needs it; its log says what that plugin lacks'

/**
 * The answer where a store could not be used.
 *
 * @param hint - who makes it, where it has not been made yet
 */
export function unreadable(what: string, { text }: { readonly text: string }, hint = WHO_MAKES_IT): Problem {
  return { code: 3, problems: [`${what}: ${printable(text)}${isMissing(text) ? ` (${hint})` : ''}`] }
}

/** Whether a store has not been made yet. */
export function isMissing(text: string): boolean {
  return /no such file$|no tables for \w+ yet$/.test(text)
}
