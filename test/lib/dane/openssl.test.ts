/**
 * DANE verification against openssl, over random chains and records: where the two disagree, one of the reasons that are
 * written down here must hold.
 *
 * FUZZ_RUNS=100000 for more cases, FUZZ_SEED for others.
 */

import fc from 'fast-check'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { verifyDane, type DaneResult } from '../../../dist/lib/dane/index.js'
import { tlsaOf, type Certificate } from '../../support/certificates.ts'
import { cook, recipes, type Case, type CertificateRecipe } from './generated.ts'
import { openBench, opensslClient, opensslVerify, opensslVersion, type Bench, type Opinion } from './openssl.ts'
import { runs } from '../../support/runs.ts'

const numRuns = runs(2400, 2400)
const seed = Number(process.env.FUZZ_SEED ?? 7671)
const version = await opensslVersion()
const skip = version === undefined && process.env.CI !== 'true' ? 'there is no openssl on the path' : false

type TlsaRecord = ReturnType<typeof tlsaOf>
/** What openssl says, where only these certificates are presented. */
type Ask = (presented: readonly Certificate[]) => Promise<Opinion>

const verify = ({ leaf, presented, reference }: Case, records: readonly TlsaRecord[]): DaneResult =>
  verifyDane(
    [leaf, ...presented].map(({ der }) => der),
    records,
    [reference],
    new Date(),
  )

const isBareKey = ({ usage, selector, matchingType }: TlsaRecord) => usage === 2 && selector === 1 && matchingType === 0
const isFullCertificate = ({ selector, matchingType }: TlsaRecord) => selector === 0 && matchingType === 0

/** The certificates that DANE-TA records make trust anchors: K8, and K11 written a second time. */
function anchorsOf({ authorities, presented }: Case, records: readonly TlsaRecord[]): readonly Certificate[] {
  const isStrongest = (one: TlsaRecord) =>
    one.matchingType !== 1 ||
    !records.some((two) => two.matchingType === 2 && two.usage === one.usage && two.selector === one.selector)
  const anchoring = records.filter((one) => one.usage === 2 && isStrongest(one))
  return authorities.filter((authority) =>
    anchoring.some(
      (record) =>
        record.data.equals(tlsaOf(authority, 2, record.selector, record.matchingType).data) &&
        (isFullCertificate(record) || presented.includes(authority)),
    ),
  )
}

/**
 * What openssl refuses and we accept: it takes the first issuer that looks right and never goes back, so it accepts with
 * fewer of them. And without key identifiers, a certificate that bears its issuer's name is self-signed in its eyes.
 */
async function whyMoreLenient({ recipe, presented }: Case, depth: number, asks: readonly Ask[]) {
  const subsets = presented.reduce<Certificate[][]>((all, one) => [...all, ...all.map((some) => [...some, one])], [[]])
  // the path itself, with its trust anchor or without
  for (const subset of subsets.filter(({ length }) => length === depth - 1 || length === depth)) {
    for (const ask of asks) {
      if ((await ask(subset)) === undefined) return 'another path is tried where the first one leads nowhere'
    }
  }
  const isMistaken = ({ name, key, issuer, flaw }: CertificateRecipe) =>
    name === issuer[0] && key !== issuer[1] && (flaw === 'no key ids' || flaw === 'version 1')
  const mistaken = [recipe.leaf, ...recipe.authorities].some(isMistaken)
  return mistaken ? 'self-issued is not self-signed' : undefined
}

/** What we refuse on purpose. */
function whyStricter({ recipe }: Case, ours: DaneResult): string | undefined {
  const flaws = new Set([recipe.leaf, ...recipe.authorities].map(({ flaw }) => flaw))
  const { names } = recipe.leaf
  const why = ours.status === 'refused' ? ours.why : undefined
  if (flaws.has('policy constraints')) return 'critical policy constraints are not understood'
  if (why === 'certificate-host-mismatch' && names === 'half a wildcard') return 'D44: a wildcard is a whole label'
  if (why !== 'certificate-not-trusted') return undefined
  if (names === 'wildcard' && flaws.has('excluded a.example.test')) return 'a wildcard reaches an excluded domain'
  if (names === 'with address' && flaws.has('permitted address')) return 'addresses are not compared'
  return undefined
}

/** With DANE, openssl is more lenient than `openssl verify`. */
async function whyStricterThanDane(one: Case, ours: DaneResult, opinion: () => Promise<Opinion>) {
  const bareKeys = one.records.filter(isBareKey)
  const isPresented = [one.leaf, ...one.presented].some(({ key }) => bareKeys.some(({ data }) => data.equals(key.spki)))
  if (isPresented) return 'K9: a bare key is an anchor only where nothing that was presented has it'
  const isExpired = ours.status === 'refused' && ours.why === 'certificate-expired'
  if (isExpired && /expired|not yet valid/.test((await opinion()) ?? '')) {
    return 'the dates of a trust anchor count, also where another CA issued it'
  }
  return whyStricter(one, ours)
}

/** Runs all cases, and tells how often which reason held; fails for those that none explains. */
async function compare(
  t: TestContext,
  cases: readonly Case[],
  judge: (one: Case, bench: Bench) => Promise<{ ours: DaneResult; theirs: Opinion; explanation: string | undefined }>,
): Promise<void> {
  assert.ok(version !== undefined, 'openssl must be on the path')
  const counts = new Map<string, number>()
  const queue = cases.values()
  const work = async () => {
    const bench = openBench()
    t.after(() => bench.close())
    for (const one of queue) {
      const { ours, theirs, explanation } = await judge(one, bench)
      const agreed = `both: ${theirs === undefined ? 'accepted' : 'refused'}`
      const said = `${JSON.stringify(one.recipe)}\nours: ${JSON.stringify(ours)}\ntheirs: ${theirs ?? 'accepted'}`
      const agree = (ours.status === 'matched') === (theirs === undefined)
      assert.ok(agree || explanation !== undefined, `nobody explains, with seed ${seed}: ${said}`)
      const what = agree ? agreed : (explanation ?? '')
      counts.set(what, (counts.get(what) ?? 0) + 1)
    }
  }
  await Promise.all([work(), work(), work()])
  for (const [what, count] of counts) t.diagnostic(`${count} × ${what}`)
  assert.ok((counts.get('both: accepted') ?? 0) > cases.length / 10, 'the cases are worth it')
  assert.ok((counts.get('both: refused') ?? 0) > cases.length / 10, 'the cases are worth it')
}

test(`DANE-TA: ${numRuns} random chains, openssl verify agrees or we know why`, { skip }, async (t) => {
  const cases = fc.sample(recipes, { numRuns, seed }).map(cook)

  await compare(t, cases, async (one, bench) => {
    const records = one.records.filter((record) => record.usage === 2 && !isBareKey(record))
    const anchors = anchorsOf(one, records)
    const askFor = (some: readonly Certificate[]): Ask => {
      return (presented) => opensslVerify(bench, one.leaf, presented, some, one.reference)
    }
    const ours = verify(one, records)
    const theirs = await askFor(anchors)(one.presented)
    if ((ours.status === 'matched') === (theirs === undefined)) return { ours, theirs, explanation: undefined }
    const asks = anchors.map((anchor) => askFor([anchor]))
    const explanation = ours.status === 'matched' ? await whyMoreLenient(one, ours.depth, asks) : whyStricter(one, ours)
    return { ours, theirs, explanation }
  })
})

test(`DANE: ${Math.ceil(numRuns / 10)} handshakes, openssl s_client agrees or we know why`, { skip }, async (t) => {
  const cases = fc.sample(recipes, { numRuns: Math.ceil(numRuns / 10), seed: seed + 1 }).map(cook)

  await compare(t, cases, async (one, bench) => {
    const { leaf, presented, records, reference } = one
    const askWith = (some: readonly TlsaRecord[]): Ask => {
      return (certificates) => opensslClient(bench, leaf, certificates, some, reference)
    }
    const ours = verify(one, records)
    const theirs = await askWith(records)(presented)
    if ((ours.status === 'matched') === (theirs === undefined)) return { ours, theirs, explanation: undefined }
    const plain = () => opensslVerify(bench, leaf, presented, anchorsOf(one, records), reference)
    const matched = records.filter((record) => ours.status === 'matched' && record === ours.record)
    const explanation =
      ours.status === 'matched'
        ? await whyMoreLenient(one, ours.depth, [askWith(records), askWith(matched)])
        : await whyStricterThanDane(one, ours, plain)
    return { ours, theirs, explanation }
  })
})
