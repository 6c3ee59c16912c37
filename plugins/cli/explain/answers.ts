/**
 * Keeps what DNS answered, so that it can be shown as the decision saw it.
 *
 * @module
 */

import type { Answer, Lookup, RecordType } from '../../lib/dns'

export interface Answers {
  readonly lookup: Lookup
  /** The first answer, if this was ever asked for. */
  readonly get: <Type extends RecordType>(name: string, type: Type) => Answer<Type> | undefined
}

/** Listens in on a resolver. What is asked for past its cache is asked for by what came later, and not kept. */
export function keepAnswers(lookup: Lookup): Answers {
  const kept = new Map<string, Answer>()
  const keyOf = (name: string, type: RecordType) => `${type} ${name.toLowerCase()}`
  return {
    lookup: async (name, type, options) => {
      const answer = await lookup(name, type, options)
      const key = keyOf(name, type)
      if (options?.fresh !== true && !kept.has(key)) kept.set(key, answer)
      return answer
    },
    // the key holds the type, so that what comes back is of that type
    get: (name, type) => kept.get(keyOf(name, type)) as Answer<typeof type> | undefined,
  }
}
