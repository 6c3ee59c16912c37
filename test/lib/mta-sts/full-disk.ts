/** Fetches large policies until no file can grow any more, and beyond: full-disk.ts PATH. Tells what deliveries were given. */
import { createStsResolver, readStsPolicy } from '../../../dist/lib/mta-sts/index.js'
import { lookupIn } from './policy-host.ts'
import { openCache } from './world.ts'

const [path = ''] = process.argv.slice(2)
const domains = Array.from({ length: 20 }, (_, index) => `d${index}.test`)
const read = readStsPolicy(
  `version: STSv1\nmode: enforce\nmx: *.example.test\nmax_age: 604800\nx: ${'y'.repeat(30_000)}\n`,
)
if (!read.ok) throw new Error(read.error.text)
const { policy } = read

let failures = 0
const cache = openCache(path)
const resolver = createStsResolver({
  lookup: lookupIn(Object.fromEntries(domains.map((domain) => [`TXT _mta-sts.${domain}`, ['v=STSv1; id=1']]))),
  fetch: () => Promise.resolve({ ok: true, policy }),
  cache: {
    ...cache,
    save: async (entry) => {
      const done = await cache.save(entry)
      if (!done.ok) failures++
      return done
    },
  },
  log: () => undefined,
  refresh: 86_400_000,
  timeout: 1000,
})
const sources: (string | undefined)[] = []
for (const domain of domains) sources.push((await resolver.policyFor(domain)).source)
const known = (await resolver.policyFor('d0.test')).source
process.stdout.write(JSON.stringify({ sources, known, failures }))
process.exit(0)
