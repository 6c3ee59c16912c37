/** Saves policies as fast as it can and says which ones it has saved: writer.ts PATH NAME [COUNT]. */
import { writeSync } from 'node:fs'
import { readStsPolicy } from '../../../dist/lib/mta-sts/index.js'
import { openCache } from './world.ts'

const [path = '', name = '', count = 'Infinity'] = process.argv.slice(2)
const cache = openCache(path, (level, text) => console.error(level, text))
const read = readStsPolicy('version: STSv1\nmode: enforce\nmx: *.example.test\nmax_age: 604800\n')
if (!read.ok) throw new Error(read.error.text)
const times = { fetchedAt: Date.now(), usedAt: Date.now(), refreshAt: Date.now() }
for (let index = 0; index < Number(count); index++) {
  const domain = `${name}-${index}.test`
  const saved = await cache.save({ domain, id: 'a', policy: read.policy, ...times, failures: 0 })
  if (saved.ok) writeSync(1, `${domain}\n`)
  await new Promise((resolve) => setImmediate(resolve))
}
cache.close()
