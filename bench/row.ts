/**
 * What a benchmark found, as a line of the table that is printed.
 *
 * @module
 */

export interface Row {
  readonly what: string
  readonly plugin: string
  /** plain Haraka, or another program, which is then named */
  readonly plain: string
  /** of the plugin to the other, pair by pair: the median */
  readonly ratio: string
  /** empty: there is none, it is for comparison */
  readonly limit: string
  readonly holds: boolean
}

/** The middle one, or the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low = NaN, high = low] = sorted.slice(Math.ceil(middle) - 1, Math.floor(middle) + 1)
  return (low + high) / 2
}

/** Three digits that count. */
export function format(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ what, plugin, plain, ratio, limit, holds }) => {
    return [what, plugin, plain, ratio, limit, limit === '' ? '' : holds ? 'holds' : 'DOES NOT HOLD']
  })
  const all = [['', 'with the plugin', 'plain Haraka, or as named', 'ratio', 'limit', ''], ...lines]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((cells) => cells[column]?.length ?? 0))) ?? []
  return all
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
