/**
 * A map that forgets what has not been asked for longest, so that strangers cannot make it grow.
 *
 * @module
 */

export interface RecentMap<Value> {
  readonly get: (key: string) => Value | undefined
  readonly set: (key: string, value: Value) => void
  readonly delete: (key: string) => void
  readonly values: () => Iterable<Value>
}

export interface RecentMapOptions<Value> {
  readonly limit: number
  /** how much of the limit a value takes; 1 */
  readonly weigh?: (value: Value) => number
}

/** Makes a map whose values weigh no more than `limit` together. */
export function createRecentMap<Value>({ limit, weigh = () => 1 }: RecentMapOptions<Value>): RecentMap<Value> {
  const map = new Map<string, Value>()
  let weight = 0

  const remove = (key: string): Value | undefined => {
    const value = map.get(key)
    if (value !== undefined) weight -= weigh(value)
    map.delete(key)
    return value
  }
  const put = (key: string, value: Value): void => {
    weight += weigh(value)
    map.set(key, value)
  }

  return {
    get: (key) => {
      const value = remove(key)
      if (value !== undefined) put(key, value) // the last one is the most recent
      return value
    },
    set: (key, value) => {
      remove(key)
      put(key, value)
      for (const oldest of map.keys()) {
        if (weight <= limit) return
        remove(oldest)
      }
    },
    delete: remove,
    values: () => map.values(),
  }
}
