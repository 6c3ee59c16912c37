/**
 * Compiles and tests anew whenever a source or test changes: `npm run test:watch test/lib/dns/chain.test.ts`.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const children = [
  [compiler, '--project', 'tsconfig.build.json', '--watch', '--preserveWatchOutput'],
  ['--test', '--watch', ...process.argv.slice(2)],
].map((args) => spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] }))

for (const child of children) {
  child.once('exit', () => {
    for (const other of children) other.kill()
  })
}
