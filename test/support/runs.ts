/**
 * How many cases the tests with generated input try.
 *
 * @module
 */

/**
 * A few by default, so that the tests are done in a moment; more in CI (`CI=true`); ten times as many again with
 * `npm run test:long` (`FUZZ_FACTOR=10`). `FUZZ_RUNS` is a number for all of them.
 *
 * @param ci - where a promise is made about the number, this is what keeps it
 */
export function runs(usual: number, ci: number): number {
  const { FUZZ_RUNS, FUZZ_FACTOR = '1', CI } = process.env
  if (FUZZ_RUNS !== undefined) return count('FUZZ_RUNS', FUZZ_RUNS)
  return count('FUZZ_FACTOR', FUZZ_FACTOR) * (CI === 'true' ? ci : usual)
}

/** A number that is none would have a test try nothing, and pass. */
function count(name: string, text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new Error(`${name}=${text}: how many?`)
  return Number(text)
}
