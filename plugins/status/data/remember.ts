/**
 * Figures that are added up of very many things are kept for some seconds: whoever reloads the page all the time does no harm.
 *
 * @module
 */

/**
 * @param milliseconds - how long an answer is given again
 * @param read - whose answer it is; what fails is not kept
 */
export function remembered<Value extends { readonly ok: boolean }>(
  milliseconds: number,
  read: () => Promise<Value>,
): () => Promise<Value> {
  let known: { readonly answer: Promise<Value>; readonly until: number } | undefined
  return () => {
    if (known !== undefined && performance.now() < known.until) return known.answer
    const answer = read()
    const entry = { answer, until: performance.now() + milliseconds }
    known = entry
    void answer.then(
      ({ ok }) => !ok && known === entry && (known = undefined),
      () => known === entry && (known = undefined),
    )
    return answer
  }
}
